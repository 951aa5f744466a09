"""Faults of real engines and of the network that no embedded engine has."""

import subprocess
from contextlib import contextmanager

import pytest
import trio
import trio.testing

from swarmcore.http import streams
from swarmcore.http.server import Server

pytestmark = pytest.mark.docker

#: A container that prints every second, and that an engine stops soon.
TICKS = ("--stop-timeout", "1", "busybox", "sh", "-c", "while echo tick; do sleep 1; done")


@pytest.fixture(scope="module")
def engines(lab):
    """An engine of each kind of restart."""
    started = lab.start_engines([
        {"name": "restarts", "release": "26.1"},
        {"name": "restores", "release": "28.5", "args": ("--live-restore",)},
    ])  # fmt: skip
    lab.image(started)
    yield {engine.name: engine for engine in started}
    for engine in started:
        engine.power_off()


@pytest.fixture(scope="module")
def manager(engines, start_manager):
    manager = start_manager(",".join(engine.address for engine in engines.values()))
    manager.wait_healthy(len(engines))
    return manager


@pytest.fixture
def docker(manager, make_docker):
    docker = make_docker("28", manager.host)
    yield docker
    docker.remove_all()


@pytest.mark.parametrize("name", ["restarts", "restores"])
def test_an_engine_that_restarts_ends_its_streams_and_is_known_afterwards(
    docker, manager, engines, wait_until, name
):
    on = ("-e", f"constraint:node=={name}")
    kept = docker("run", "-d", "--name", "kept", "--restart", "always", *on, *TICKS)
    docker("run", "-d", "--name", "other", "-e", f"constraint:node!={name}", *TICKS)
    began = docker("inspect", "-f", "{{.State.StartedAt}}", "kept")
    streams = [docker.start("logs", "-f", "kept"), docker.start("exec", "kept", "sleep", "600"),
               docker.start("attach", "--no-stdin", "kept")]  # fmt: skip
    followers = [
        docker.start("logs", "-f", "other"),
        docker.start("events", "--format", "{{json .}}"),
    ]
    engine = engines[name]
    document = f"/containers/{kept}/json"
    wait_until(lambda: engine.api.call("GET", document)["ExecIDs"], "the exec to run")
    wait_until(lambda: manager.get("/info")["NEventsListener"], "the events client")
    try:
        engine.restart()
        statuses = [each.wait(30) for each in streams]
        # A container that is stopped ends its log; one that runs on does not.
        assert all(statuses) if name == "restores" else statuses[2] == 128 + 9
        manager.wait_healthy(len(engines))
        assert docker("ps", "--no-trunc", "-q", "--filter", "name=kept") == kept
        is_same = docker("inspect", "-f", "{{.State.StartedAt}}", "kept") == began
        assert is_same is (name == "restores")
        assert docker("exec", "kept", "echo", "here") == "here"
        assert "tick" in docker("logs", "--tail", "1", "kept")
        docker("run", "-d", "--name", "later", *on, *TICKS)
        while "later" not in followers[1].stdout.readline():
            assert followers[1].poll() is None
        assert followers[0].poll() is None
    finally:
        for each in (*streams, *followers):
            each.kill()
            each.communicate()


# ---- a client that vanishes


@contextmanager
def unplugged(port):
    """Drop all that is sent to a local TCP port, as if its machine had lost its cable."""
    rule = ("INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "DROP")
    subprocess.run(["iptables", "-w", "-I", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], check=True)


async def test_the_stream_of_a_client_that_vanished_without_a_word_ends(monkeypatch):
    for option, value in {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}.items():
        monkeypatch.setitem(streams.RELAXED_KEEPALIVE, option, value)
    begun, ended = trio.Event(), trio.Event()

    async def follow(exchange):
        async with exchange.stream():
            begun.set()
            await trio.sleep_forever()
        ended.set()

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(Server(follow).run, listeners)
        client = await trio.testing.open_stream_to_socket_listener(listeners[0])
        await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await begun.wait()
        with unplugged(client.socket.getsockname()[1]), trio.fail_after(60):
            await ended.wait()
        await client.aclose()
        nursery.cancel_scope.cancel()
