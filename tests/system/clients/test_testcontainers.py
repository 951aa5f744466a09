"""testcontainers-python: containers for tests, removed after them.

Its reaper (Ryuk) is switched off, because its image is only on the internet.
"""

import urllib.request
from datetime import timedelta
from importlib import metadata

import docker
import pytest
from docker.models.containers import Container
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer, ExecConfig
from testcontainers.core.image import DockerImage
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import (
    CompositeWaitStrategy,
    ExecWaitStrategy,
    HealthcheckWaitStrategy,
    HttpWaitStrategy,
    LogMessageWaitStrategy,
    PortWaitStrategy,
)

TESTCONTAINERS = "testcontainers-python"
SERVE = ["httpd", "-f", "-p", "80", "-h", "/etc"]
STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]


class OnItsEngine(DockerContainer):
    """A container that looks for its ports on its engine, as ``docs/compatibility.md`` advises."""

    def get_container_host_ip(self):
        container = self.get_wrapped_container()
        container.reload()
        hosts = {bound["HostIp"] for ports in container.ports.values() for bound in ports or ()}
        return (hosts - {"0.0.0.0", "::"} or {super().get_container_host_ip()}).pop()


@pytest.fixture(autouse=True)
def environment(target, monkeypatch, versions):
    versions[TESTCONTAINERS] = metadata.version("testcontainers")
    monkeypatch.setenv("DOCKER_HOST", target.host)
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)


def quick(strategy):
    return strategy.with_poll_interval(0.1).with_startup_timeout(timedelta(seconds=60))


def read(container, port=80, path="hosts"):
    url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(port)}/{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


@pytest.mark.client(TESTCONTAINERS, "starts a container, waits for its log, and removes it")
def test_container(wait_until):
    command = [
        "sh",
        "-c",
        "echo got $A; echo ready >&2; trap exit TERM; while true; do sleep 0.1; done",
    ]
    ready = quick(LogMessageWaitStrategy("ready"))
    with DockerContainer("busybox", command=command).with_env("A", "1").waiting_for(ready) as box:
        # Two streams: what was written first may come later.
        wait_until(lambda: box.get_logs() == (b"got 1\n", b"ready\n"), "both lines")
        box.reload()
        assert box.status == "running"
        wrapped = box.get_wrapped_container()
        assert wrapped.labels["org.testcontainers.lang"] == "python"
    with pytest.raises(docker.errors.NotFound):
        wrapped.reload()


@pytest.mark.client(TESTCONTAINERS, "runs commands in a container and copies files in and out")
def test_exec_and_copy(tmp_path):
    box = DockerContainer("busybox", command=STILL).with_copy_into_container(b"before", "/before")
    with box:
        assert box.exec("cat /before").output == b"before"
        box.copy_into_container(b"later", "/tmp/later")
        assert box.exec(ExecConfig(["cat", "later"], workdir="/tmp")).output == b"later"
        assert box.exec(["sh", "-c", "exit 4"]).exit_code == 4
        box.copy_from_container("/tmp/later", tmp_path / "later")
        assert (tmp_path / "later").read_bytes() == b"later"


@pytest.mark.client(TESTCONTAINERS, "waits for commands, health and several things at once")
def test_waiting():
    made = ["sh", "-c", "touch /made; trap exit TERM; while true; do sleep 0.1; done"]
    check = {"test": ["CMD", "test", "-e", "/made"], "interval": 200_000_000}
    both = CompositeWaitStrategy(
        quick(ExecWaitStrategy(["test", "-e", "/made"])), quick(HealthcheckWaitStrategy())
    )
    with DockerContainer("busybox", command=made, healthcheck=check).waiting_for(both) as box:
        info = box.get_container_info()
        assert info.State.Health.Status == "healthy"


@pytest.mark.client(TESTCONTAINERS, "tells how a container that never got ready failed")
def test_never_ready():
    ended = DockerContainer("busybox", command=["sh", "-c", "echo why; exit 1"])
    waiting = ended.waiting_for(quick(LogMessageWaitStrategy("ready")))
    with pytest.raises(RuntimeError, match="exited"), waiting:
        pytest.fail("it started")


@pytest.mark.client(TESTCONTAINERS, "finds the host of a published port from DOCKER_HOST")
def test_host_of_ports(target, differs):
    with DockerContainer("busybox", command=SERVE).with_exposed_ports(80) as box:
        if target.is_cluster:
            published = box.get_wrapped_container()
            published.reload()
            host = published.ports["80/tcp"][0]["HostIp"]
            assert host != box.get_container_host_ip()
            differs(
                "a port is published on the engine of its container, not on the manager; see below"
            )
        else:
            quick(HttpWaitStrategy(80, "/hosts")).wait_until_ready(box)
            assert b"localhost" in read(box)


@pytest.mark.client(TESTCONTAINERS, "finds the host of a published port where inspect says it is")
def test_ports_on_their_engine():
    ready = CompositeWaitStrategy(
        quick(PortWaitStrategy(80)), quick(HttpWaitStrategy(80, "/hosts").for_status_code(200))
    )
    box = OnItsEngine("busybox", command=SERVE).with_exposed_ports(80).waiting_for(ready)
    with box:
        assert b"localhost" in read(box)


@pytest.mark.client(
    TESTCONTAINERS, "is told the host with TESTCONTAINERS_HOST_OVERRIDE, on one node"
)
def test_host_override(shared_fleet, monkeypatch):
    host = shared_fleet.engines["new"].address.partition(":")[0]
    monkeypatch.setattr(testcontainers_config, "tc_host_override", host)
    box = DockerContainer("busybox", command=SERVE).with_env("constraint:node", "=new")
    with box.with_exposed_ports(80).waiting_for(quick(HttpWaitStrategy(80, "/hosts"))):
        assert b"localhost" in read(box)


@pytest.mark.client(TESTCONTAINERS, "joins containers by a network and their aliases")
def test_network():
    with Network() as network:
        server = DockerContainer("busybox", command=SERVE)
        server = server.with_network(network).with_network_aliases("server")
        client = DockerContainer("busybox", command=STILL).with_network(network)
        with server, client:
            fetched = quick(ExecWaitStrategy(["wget", "-qO-", "http://server/hosts"]))
            fetched.wait_until_ready(client)
            assert b"localhost" in client.exec("wget -qO- http://server/hosts").output


@pytest.mark.client(TESTCONTAINERS, "builds an image, runs it, and removes it")
def test_image(tmp_path):
    (tmp_path / "Dockerfile").write_text(
        'FROM busybox\nRUN echo hello >/word\nCMD ["cat", "/word"]\n'
    )
    with DockerImage(tmp_path, tag="lab/built:1") as image:
        box = DockerContainer(str(image)).start()
        assert isinstance(box.get_wrapped_container(), Container)
        assert box.wait() == 0
        assert box.get_logs()[0] == b"hello\n"
        box.stop()


@pytest.mark.client(TESTCONTAINERS, "pulls an image that is missing, and mounts a volume")
def test_pull(registry):
    image = f"{registry.address}/tool:1"
    with DockerContainer(image, command=["touch", "/data/made"]).with_volume_mapping(
        "data", "/data", "rw"
    ) as box:
        assert box.wait() == 0
    with DockerContainer(image, command=["ls", "/data"]).with_volume_mapping(
        "data", "/data"
    ) as box:
        assert box.wait() == 0
        assert box.get_logs()[0] == b"made\n"
