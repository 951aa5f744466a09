"""TLS with certificates on both sides: a manager with ``--tlsverify`` and such an engine."""

import hashlib
import random
import socket
import ssl
import subprocess
from pathlib import Path

import pexpect
import pytest
import trustme
from swarmcore_lab.engine import EngineTls
from swarmcore_lab.stores import EtcdStore

from swarmcore.testing.ports import free_port
from tests.system.manager import SWARMCORE, Manager

pytestmark = pytest.mark.docker

MUCH = random.Random(2).randbytes(3_000_000)


class Certificates:
    """One CA, with certificates of an engine, the manager (as server and client) and a user."""

    def __init__(self, folder):
        self.folder = folder
        self._ca = trustme.CA()
        self.issue("manager", "127.0.0.1")
        self.issue("user", "user@example.org")
        self.issue("stranger", "user@example.org", ca=trustme.CA())
        (folder / "nobody").mkdir()
        self._ca.cert_pem.write_to_path(folder / "nobody" / "ca.pem")

    def issue(self, name, identity, *, ca=None):
        """Write a folder for ``DOCKER_CERT_PATH``."""
        folder = self.folder / name
        folder.mkdir()
        certificate = (ca or self._ca).issue_cert(identity, common_name=name)
        certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        self._ca.cert_pem.write_to_path(folder / "ca.pem")
        return folder

    def engine(self, ip):
        folder = self.issue("engine", ip)
        return EngineTls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")

    def options(self, name):
        folder = self.folder / name
        return [f"--tls{kind}={folder / file}" for kind, file in
                [("cacert", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem")]]  # fmt: skip

    def context(self, name):
        folder = self.folder / name
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def engine(lab, certificates):
    engine = lab.start_engine("secure", "28.5", tls=certificates.engine)
    lab.image(engine)
    yield engine
    engine.power_off()


@pytest.fixture(scope="module")
def manager(engine, certificates, start_manager):
    manager = start_manager(
        "--tlsverify", *certificates.options("manager"), engine.address,
        tls=certificates.context("user"),
    )  # fmt: skip
    manager.wait_healthy(1)
    yield manager
    manager.stop()


@pytest.fixture
def as_user(manager, certificates, make_docker):
    """Make the CLI of a release with a user's certificate."""

    def make(release, name="user"):
        folder = certificates.folder / name
        return make_docker(
            release, manager.host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(folder)
        )

    yield make
    docker = make("28")
    docker.remove_all()


@pytest.fixture(params=["20.10", "28"])
def docker(as_user, request):
    return as_user(request.param)


def test_a_container_runs_and_its_status_comes_back(docker):
    done = docker.run("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)


def test_input_ends_and_the_output_still_comes(docker):
    """The end of input is a close_notify on both connections, the client's and the engine's."""
    script = "wc -c; echo after the end"
    assert docker("run", "-i", "--rm", "busybox", "sh", "-c", script, input=MUCH.hex()) == (
        f"{len(MUCH) * 2}\nafter the end"
    )


def test_megabytes_come_back_byte_for_byte(docker):
    copy = docker("run", "-i", "--rm", "busybox", "cat", input=MUCH, text=False)
    assert hashlib.sha256(copy).digest() == hashlib.sha256(MUCH).digest()


def test_exec_also_reads_its_input_to_the_end(docker):
    docker("run", "-d", "--init", "--name", "box", "busybox", "sleep", "600")
    copy = docker("exec", "-i", "box", "cat", input=MUCH, text=False)
    assert hashlib.sha256(copy).digest() == hashlib.sha256(MUCH).digest()


def test_detach_keys_leave_the_container_running(docker):
    terminal = docker.terminal("run", "-it", "--name", "box", "busybox", "sh", "-c", "echo up; cat")
    terminal.expect("up")
    for key in "\x10", "\x11":
        terminal.send(key)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert docker("inspect", "-f", "{{.State.Running}}", "box") == "true"


def test_following_logs_ends_with_the_container(docker):
    script = "for i in 1 2 3; do echo $i; sleep 0.1; done"
    docker("run", "-d", "--name", "box", "busybox", "sh", "-c", script)
    assert docker("logs", "-f", "box").split() == ["1", "2", "3"]


@pytest.mark.parametrize("release", ["20.10", "28"])
@pytest.mark.parametrize("name", ["stranger", "nobody"])
def test_a_client_whose_certificate_the_ca_did_not_sign_is_refused(as_user, release, name):
    done = as_user(release, name).run("ps")
    assert done.returncode != 0
    assert "certificate" in done.stderr.lower()


def test_a_replica_forwards_streams_with_its_own_certificate(
    engine, certificates, make_docker, tmp_path, wait_until
):
    """The end of input is a close_notify on three connections."""
    store = EtcdStore(tmp_path)
    store.start()
    store.put(f"lab/docker/swarm/nodes/{engine.address}", str(engine.address))
    managers = []
    try:
        for number in range(2):
            port = free_port()
            options = ["--tlsverify", *certificates.options("manager"), "--replication",
                       "--advertise", f"127.0.0.1:{port}", store.uri("lab")]  # fmt: skip
            log = tmp_path / f"{number}.log"
            managers.append(Manager(port, options, log, tls=certificates.context("user")))
            managers[-1].start()
            managers[-1].wait_healthy(1)

        def replicas():
            tables = {each: dict(each.get("/info")["SystemStatus"]) for each in managers}
            return [each for each, table in tables.items() if table.get("Primary")]

        [replica] = wait_until(replicas, "one of them to follow the other")
        folder = str(certificates.folder / "user")
        docker = make_docker("28", replica.host, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=folder)
        script = "wc -c; echo after the end"
        assert docker("run", "-i", "--rm", "busybox", "sh", "-c", script, input=MUCH.hex()) == (
            f"{len(MUCH) * 2}\nafter the end"
        )
    finally:
        for each in managers:
            each.stop()
        store.kill()


def test_a_client_that_speaks_no_tls_gets_no_answer(manager, make_docker):
    done = make_docker("28", manager.host).run("ps")
    assert done.returncode != 0
    assert "CONTAINER ID" not in done.stdout


def test_a_manager_whose_certificate_the_engine_does_not_know_says_why(
    engine, certificates, start_manager, wait_until
):
    folder = certificates.folder / "stranger"
    stranger = ["--tls", f"--tlscert={folder / 'cert.pem'}", f"--tlskey={folder / 'key.pem'}"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    manager = start_manager(*stranger, engine.address, tls=context)
    (error,) = wait_until(manager.errors, "the engine's refusal")
    assert "the other side refuses our certificate: unknown ca" in error
    manager.stop()


def test_plain_http_gets_an_engines_answer(engine, manager):
    def ask(address):
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as plain:
            plain.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
            return b"".join(iter(lambda: plain.recv(4096), b""))

    assert ask(manager.host.removeprefix("tcp://")) == ask(engine.address)


def test_operators_without_tls_are_told_to_use_it(manager):
    done = subprocess.run(
        [SWARMCORE, "nodes", "-H", manager.host],
        env={}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "wants TLS; use --tlsverify" in done.stderr


def test_operators_are_asked_for_their_certificate_too(docker, manager):
    """``swarmcore nodes`` finds a manager, and uses its client certificate, like docker."""
    command = [SWARMCORE, "nodes", "--json"]
    for folder, status, said in [("user", 0, '"Name": "secure"'), ("nobody", 1, "no answer")]:
        where = str(Path(docker.environment["DOCKER_CERT_PATH"]).with_name(folder))
        environment = {**docker.environment, "DOCKER_CERT_PATH": where}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done
