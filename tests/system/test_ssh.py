"""Engines with ``ssh://``: a real sshd on loopback, a real login, and a real docker there."""

import getpass
import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
import trio
from swarmcore_lab.machine import children_of

from swarmcore.addresses import parse_address
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.testing.ports import free_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
SSH = shutil.which("ssh")
DOCKER = shutil.which("docker")
PRIVILEGE_SEPARATION = Path("/run/sshd")
MUCH = random.Random(3).randbytes(3_000_000)

pytestmark = pytest.mark.skipif(
    not (SSHD and SSH and DOCKER), reason="needs sshd, ssh and the docker command"
)


def command_line(pid):
    """Return the command line of a process; empty if it has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


class Sshd:
    """An sshd for one key, and a folder whose ``ssh`` logs in to it.

    Logins find an engine at ``DOCKER_HOST``, unless the address names a socket.
    """

    def __init__(self, folder, docker_host):
        self.port = free_port()
        self.address = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        self._folder = folder
        self._docker_host = docker_host
        self._process = None
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
            f"SetEnv DOCKER_HOST={self._docker_host} PATH={Path(DOCKER).parent}:/usr/bin:/bin\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\n"
        )

    def _write_client(self):
        """Write an ssh that reads its own configuration, like a user's configuration."""
        key = (self._folder / "host.pub").read_text()
        (self._folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        (self._folder / "ssh_config").write_text(
            f"IdentityFile {self._folder}/user\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {self._folder}/known_hosts\n"
        )
        program = self._folder / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {SSH} -F {self._folder}/ssh_config "$@"\n')
        program.chmod(0o755)

    @property
    def path(self):
        """The ``PATH`` for a client that logs in."""
        return f"{self._folder / 'bin'}:{os.environ['PATH']}"

    def forget_user(self):
        (self._folder / "user.pub").write_text("")

    def clients(self):
        """Return the ssh processes that log in to it."""
        mark = f"{self._folder}/ssh_config"
        return {
            int(each.name)
            for each in Path("/proc").glob("[0-9]*")
            if mark in command_line(each.name)
        }

    def start(self):
        command = [SSHD, "-D", "-e", "-f", str(self._folder / "sshd_config")]
        log = self._folder / "sshd.log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(command, stderr=file)
        deadline = time.monotonic() + 60
        while "listening" not in log.read_text():
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)

    def end_sessions(self):
        for pid in children_of(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def has_ended_sessions(self):
        """Return whether there are no sessions any more; end those that there are."""
        self.end_sessions()
        return not self.clients()

    def stop(self):
        """Stop it with all its sessions, as when the machine is lost."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)  # so that nobody logs in meanwhile
            self.end_sessions()
            self._process.kill()
            self._process.wait(10)
            self._process = None


@contextmanager
def running_sshd(folder, docker_host):
    # Left in place, as the system's own service leaves it: another sshd may be using it by now.
    PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    sshd = Sshd(folder, docker_host)
    try:
        sshd.start()
        yield sshd
    finally:
        sshd.stop()


# ---- both paths, without a manager


@pytest.fixture
def start_sshd(tmp_path, monkeypatch):
    with ExitStack() as stack:

        def start(docker_host):
            sshd = stack.enter_context(running_sshd(tmp_path, docker_host))
            monkeypatch.setenv("PATH", sshd.path)
            return sshd

        yield start


def ssh_processes():
    """Return our ssh processes, including those that have ended and were not reaped."""
    pids = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == "ssh"]


@asynccontextmanager
async def asking(address):
    """Run a client of one engine; after it is closed, no process may remain."""
    client = HTTPClient(Dialer(parse_address(address)))
    try:
        with trio.fail_after(30):
            yield client
    finally:
        with trio.CancelScope(shield=True):
            await client.aclose()
    assert ssh_processes() == []


async def test_whole_answers_events_and_streams_go_through_ssh(start_sshd):
    engine = EmbeddedEngine("n1")
    json_body = ((b"Content-Type", b"application/json"),)
    async with engine.serving():
        sshd = start_sshd(f"tcp://{engine.address}")
        async with asking(sshd.address) as client:
            for _ in range(3):
                assert (await client.request("GET", "/v1.41/info")).json()["Name"] == "n1"
            async with client.lines("/v1.41/events") as events:
                path, body = "/v1.41/volumes/create", b'{"Name":"v"}'
                made = await client.request("POST", path, body=body, headers=json_body)
                assert made.status == 201
                assert b'"volume"' in await anext(events)
            async with client.call("GET", "/v1.41/_ping", ((b"Host", b"docker"),)) as call:
                assert (await call.read_head()).status == 200


async def test_a_failed_login_has_the_error_of_ssh(start_sshd):
    sshd = start_sshd("unix:///nowhere")
    sshd.forget_user()
    async with asking(sshd.address) as client:
        with pytest.raises(EngineUnreachable, match="Permission denied"):
            await client.request("GET", "/_ping")


async def test_an_engine_that_is_down_has_dockers_error(start_sshd):
    sshd = start_sshd("unix:///nowhere")
    async with asking(f"{sshd.address}/run/nowhere.sock") as client:
        with pytest.raises(EngineUnreachable, match=r"/run/nowhere\.sock"):
            await client.request("GET", "/_ping")


async def test_a_request_that_must_not_be_repeated_is_not_sent_into_an_ended_session(
    start_sshd, wait_until
):
    engine = EmbeddedEngine("n1")
    post = ("POST", "/v1.41/volumes/prune", ((b"Host", b"docker"), (b"Content-Length", b"0")))
    async with engine.serving():
        sshd = start_sshd(f"tcp://{engine.address}")
        async with asking(sshd.address) as client:
            for _ in range(2):
                async with client.call(*post) as call:
                    assert (await call.read_head()).status == 200
                    while await call.read_data():
                        pass
                assert (await client.request(*post[:2])).status == 200
                await trio.to_thread.run_sync(wait_until, sshd.has_ended_sessions, "the end")


# ---- a manager before real engines


@pytest.fixture(scope="module")
def sshd(engines, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sshd")
    with running_sshd(folder, f"unix://{engines['new'].socket}") as sshd:
        yield sshd


@pytest.fixture(scope="module")
def manager(sshd, engines, start_manager):
    """A manager of two engines: the default one behind ssh, and one named by its socket."""
    by_path = f"{sshd.address}{engines['old'].socket}"
    manager = start_manager(f"{sshd.address},{by_path}", environment={"PATH": sshd.path})
    manager.wait_healthy(2)
    yield manager
    manager.stop()


@pytest.fixture
def docker(manager, make_docker):
    docker = make_docker("28", manager.host)
    yield docker
    if ids := docker("ps", "-aq").split():
        docker("rm", "-f", *ids)


@pytest.fixture(params=["new", "old"])
def there(request):
    """The CLI with each of the two engines."""
    return "-e", f"constraint:node=={request.param}"


@pytest.mark.docker
def test_megabytes_and_the_end_of_input_come_back_byte_for_byte(docker, there):
    copy = docker("run", "--rm", "-i", *there, "busybox", "cat", input=MUCH, text=False)
    assert hashlib.sha256(copy).digest() == hashlib.sha256(MUCH).digest()


@pytest.mark.docker
def test_a_container_can_be_listed_and_its_logs_followed_to_their_end(docker, there):
    script = "echo up; until [ -e /go ]; do sleep 0.1; done; echo on"
    docker("run", "-d", "--name", "box", *there, "busybox", "sh", "-c", script)
    assert docker("ps", "--format", "{{.Names}}") == "box"
    docker("exec", "-d", "box", "sh", "-c", "sleep 1; touch /go")
    assert docker("logs", "-f", "box") == "up\non"
    assert docker("wait", "box") == "0"


@pytest.mark.docker
def test_sessions_that_end_are_begun_again(docker, sshd, manager, wait_until):
    before = sshd.clients()
    assert before
    sshd.end_sessions()
    wait_until(lambda: not before & sshd.clients(), "the old ssh processes to be reaped")
    manager.wait_healthy(2)
    wait_until(sshd.clients, "new ssh processes")
    assert docker("run", "--rm", "busybox", "echo", "again") == "again"


@pytest.mark.docker
def test_an_outage_has_the_error_of_ssh_until_it_ends(docker, sshd, manager, wait_until):
    sshd.stop()
    errors = wait_until(lambda: len(manager.errors()) == 2 and manager.errors(), "both errors")
    for error in errors:
        assert f"connect to host 127.0.0.1 port {sshd.port}: Connection refused" in error
    wait_until(lambda: manager.statuses() == ["Unhealthy"] * 2, "two unhealthy nodes")
    sshd.start()
    manager.wait_healthy(2)
    assert docker("run", "--rm", "busybox", "echo", "again") == "again"
    wait_until(
        lambda: all(command_line(pid) for pid in children_of(manager.process.pid)),
        "every ended ssh to be reaped",
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.docker
def test_no_ssh_outlives_its_manager(sshd, manager, start_manager, wait_until, how):
    others = sshd.clients()
    second = start_manager(sshd.address, environment={"PATH": sshd.path})
    second.wait_healthy(1)
    ours = sshd.clients() - others
    assert ours & set(children_of(second.process.pid))
    second.stop(how)
    wait_until(lambda: not ours & sshd.clients(), "its ssh processes to end")
