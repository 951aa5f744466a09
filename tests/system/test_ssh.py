"""Engines behind ``ssh://``: a real sshd on a loopback port, real ssh, a real docker at its end."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from swarmcore.addresses import parse_address
from swarmcore.errors import EngineUnreachable
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.transport import EngineClient
from swarmcore.transport.dial import Dialer
from swarmcore.upstream import Upstream

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
PRIVILEGE_SEPARATION = Path("/run/sshd")

pytestmark = pytest.mark.skipif(
    not (SSHD and shutil.which("ssh") and shutil.which("docker")),
    reason="needs sshd, ssh and the docker command",
)


class Sshd:
    """An sshd for one key, whose logins find an engine at ``DOCKER_HOST``."""

    def __init__(self, folder, docker_host):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        self._folder = folder
        self._docker_host = docker_host
        for name in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
            subprocess.run(command, check=True)
        self._write_server()
        self._write_client()

    def _write_server(self):
        (self._folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\n"
            f"HostKey {self._folder}/host\n"
            f"AuthorizedKeysFile {self._folder}/user.pub\n"
            f"SetEnv DOCKER_HOST={self._docker_host}\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        )

    def _write_client(self):
        """An ssh that reads a configuration of its own, as a user's would."""
        key = (self._folder / "host.pub").read_text()
        (self._folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        (self._folder / "ssh_config").write_text(
            f"IdentityFile {self._folder}/user\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {self._folder}/known_hosts\n"
        )
        program = self._folder / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {self._folder}/ssh_config "$@"\n')
        program.chmod(0o755)

    @property
    def path(self):
        return str(self._folder / "bin")

    def forget_user(self):
        (self._folder / "user.pub").write_text("")

    def __enter__(self):
        self._made = not PRIVILEGE_SEPARATION.exists()
        PRIVILEGE_SEPARATION.mkdir(exist_ok=True)
        command = [SSHD, "-D", "-e", "-f", str(self._folder / "sshd_config")]
        self.log = self._folder / "sshd.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stderr=log)
        deadline = time.monotonic() + 10
        while "listening" not in self.log.read_text():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
        if self._made:
            PRIVILEGE_SEPARATION.rmdir()


@pytest.fixture
def start_sshd(tmp_path, monkeypatch):
    started = []

    def start(docker_host):
        sshd = Sshd(tmp_path, docker_host)
        monkeypatch.setenv("PATH", sshd.path, prepend=":")
        started.append(sshd.__enter__())
        return sshd

    yield start
    for sshd in started:
        sshd.__exit__()


def ssh_processes():
    """Ours, those that have ended and were not reaped included."""
    pids = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == "ssh"]


@asynccontextmanager
async def asking(address):
    """Both paths to one engine; no process is left when they are closed."""
    dialer = Dialer(parse_address(address))
    client, upstream = EngineClient(dialer), Upstream(dialer)
    try:
        with trio.fail_after(30):
            yield client, upstream
    finally:
        with trio.CancelScope(shield=True):
            await client.aclose()
            await upstream.aclose()
    assert ssh_processes() == []


async def test_control_path_events_and_data_path_go_through_ssh(start_sshd):
    engine = EmbeddedEngine("n1")
    json_body = ((b"Content-Type", b"application/json"),)
    async with engine.serving():
        sshd = start_sshd(f"tcp://{engine.address}")
        async with asking(sshd.address) as (client, upstream):
            for _ in range(3):
                assert (await client.request("GET", "/v1.41/info")).json()["Name"] == "n1"
            async with client.events("/v1.41/events") as events:
                path, body = "/v1.41/volumes/create", b'{"Name":"v"}'
                made = await client.request("POST", path, body=body, headers=json_body)
                assert made.status == 201
                assert b'"volume"' in await anext(events)
            async with upstream.call("GET", "/v1.41/_ping", ((b"Host", b"docker"),)) as call:
                assert (await call.read_head()).status == 200


async def test_a_login_that_fails_is_told_in_sshs_words(start_sshd):
    sshd = start_sshd("unix:///nowhere")
    sshd.forget_user()
    async with asking(sshd.address) as (client, _):
        with pytest.raises(EngineUnreachable, match="Permission denied"):
            await client.request("GET", "/_ping")


async def test_an_engine_that_is_down_behind_a_good_login_is_told_in_dockers_words(start_sshd):
    sshd = start_sshd("unix:///nowhere")
    async with asking(f"{sshd.address}/run/nowhere.sock") as (client, _):
        with pytest.raises(EngineUnreachable, match=r"/run/nowhere\.sock"):
            await client.request("GET", "/_ping")


@pytest.mark.docker
def test_standard_input_and_its_end_reach_a_container_behind_ssh(
    lab, engines, start_sshd, start_manager
):
    engine = engines["new"]
    manager = start_manager(start_sshd(f"tcp://{engine.address}").address)
    manager.wait_healthy(1)
    docker = [
        str(lab.cli("28").path),
        "-H",
        manager.host,
        "run",
        "--rm",
        "-i",
        "busybox",
        "wc",
        "-c",
    ]
    try:
        done = subprocess.run(
            docker, input=b"x" * 1_000_000, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout.strip()) == (0, b"1000000"), done.stderr
    finally:
        manager.stop()
