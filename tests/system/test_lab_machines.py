"""Machines of the lab for programs other than engines, and engines with small disks."""

import socket
import sys

import pytest
from swarmcore_lab import EngineSpec, LabError

pytestmark = pytest.mark.docker

_SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 7))
while True:
    connection, _ = server.accept()
    connection.sendall(b"here")
    connection.close()
"""


@pytest.fixture
def host(lab, tmp_path, request):
    """A machine with a server that says "here"."""
    host = lab.host(request.node.name.replace("_", "-")[:40])
    host.start([sys.executable, "-c", _SERVER], tmp_path / "log")
    yield host
    host.power_off()


def hear(ip, seconds=30):
    """Return what the server says; empty if it does not answer within *seconds*."""
    try:
        with socket.create_connection((ip, 7), seconds) as connection:
            connection.settimeout(seconds)
            return connection.recv(100)
    except OSError:
        return b""


def test_a_program_has_an_address_and_can_be_killed_and_started(host, wait_until, tmp_path):
    wait_until(lambda: hear(host.ip), "the server")
    with pytest.raises(LabError, match="a program runs on"):
        host.start(["true"], tmp_path / "log")
    host.kill()
    assert not host.is_running
    assert hear(host.ip) == b""
    host.start([sys.executable, "-c", _SERVER], tmp_path / "log")
    wait_until(lambda: hear(host.ip), "the server")


def test_a_paused_a_cut_and_a_blocked_program_are_silent_until_that_is_reverted(
    host, lab, wait_until
):
    wait_until(lambda: hear(host.ip), "the server")
    failures = [
        (host.pause, host.resume),
        (host.cut, host.mend),
        (lambda: host.block(lab.gateway), lambda: host.unblock(lab.gateway)),
    ]
    for begin, end in failures:
        begin()
        assert hear(host.ip, 0.5) == b""
        end()
        wait_until(lambda: hear(host.ip, 5), "the server")
    with pytest.raises(LabError, match="iptables"):
        host.unblock(lab.gateway)


def test_an_engine_with_a_full_disk_refuses_creates_until_there_is_room(lab):
    engine, whole = lab.start_engines(
        [EngineSpec("small-disk", "28.5", disk_bytes=48 << 20), EngineSpec("no-disk")]
    )
    try:
        lab.image(engine)
        config = {"Image": "busybox", "Cmd": ["true"]}
        engine.fill_disk()
        with pytest.raises(LabError, match="no space left on device"):
            engine.api.call("POST", "/containers/create", config)
        engine.free_disk()
        assert engine.api.call("POST", "/containers/create", config)["Id"]
        with pytest.raises(LabError, match="no disk of its own"):
            whole.fill_disk()
    finally:
        engine.power_off()
        whole.power_off()
