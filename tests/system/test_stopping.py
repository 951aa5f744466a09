"""An engine refuses new connections and still answers on open ones.

The engine is being stopped, or a firewall is in front of it: streams through the manager end like
streams from the engine itself.
"""

import contextlib
import http.client
import json
import threading
import urllib.parse

import pytest

#: Eight lines over seven seconds after TERM: longer than it takes to find the engine unhealthy.
LAST_LINES = (
    "trap 'for i in 1 2 3 4 5 6 7 8; do echo bye $i; sleep 0.9; done; exit 7' TERM;"
    " echo ready; while :; do sleep 0.1; done"
)
OF_FAREWELL = urllib.parse.quote(json.dumps({"container": ["farewell"]}))
STREAMS = {
    "logs": ("GET", "/containers/farewell/logs?follow=1&stdout=1"),
    "wait": ("POST", "/containers/farewell/wait"),
    "attach": ("POST", "/containers/farewell/attach?stream=1&stdout=1&logs=1"),
}


class Stream:
    """An answer that has begun."""

    def __init__(self, address, method, path):
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._connection.request(method, f"/v1.41{path}", headers={"Content-Length": "0"})
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200

    def rest(self):
        """Read to the end; raise an error if the answer is cut off."""
        return self._answer.read()

    def lines(self):
        """Yield lines as they arrive."""
        while line := self._answer.readline():
            yield line

    def close(self):
        self._connection.close()


class Place:
    """One address at which the container is followed with every kind of stream.

    Attributes:
        actions: the actions of its events, in order.
    """

    def __init__(self, address):
        self.actions = []
        self._events = Stream(address, "GET", f"/events?filters={OF_FAREWELL}")
        self._reader = threading.Thread(target=self._read_events)
        self._reader.start()
        self._streams = {kind: Stream(address, *asked) for kind, asked in STREAMS.items()}

    def _read_events(self):
        for line in self._events.lines():
            self.actions.append(json.loads(line)["Action"])
            if self.actions[-1] == "die":
                return

    def results(self):
        """Return the end of each stream, and whether there was an event of the container's end."""
        found = {kind: stream.rest() for kind, stream in self._streams.items()}
        self._reader.join(30)
        return found | {"die": "die" in self.actions}

    def close(self):
        for stream in (self._events, *self._streams.values()):
            stream.close()
        self._reader.join()


@pytest.fixture(params=["old", "middle", "new"])
def engine(fleet, wait_until, request):
    """The engine that runs the container; it is restored afterwards."""
    engine, docker = fleet.engines[request.param], fleet.docker()
    docker("run", "-d", "--name", "farewell", "-e", f"constraint:node=={engine.name}",
           "--stop-timeout", "60", "busybox", "sh", "-c", LAST_LINES)  # fmt: skip
    wait_until(lambda: "ready" in docker("logs", "farewell"), "the container to run")
    yield engine
    engine.start()
    # The manager may not have noticed yet that the engine was away: only an answer tells.
    wait_until(lambda: docker.run("rm", "-f", "farewell").returncode == 0, "the engine to be back")
    fleet.manager.wait_healthy(3)


def test_streams_of_a_stopping_engine_end_as_without_a_manager(fleet, engine):
    places = [Place(engine.address), Place(f"127.0.0.1:{fleet.manager.port}")]
    stopping = threading.Thread(target=engine.stop)
    stopping.start()
    try:
        direct, ours = (place.results() for place in places)
        assert ours == direct
        assert b"bye 8" in direct["logs"]
        assert json.loads(direct["wait"])["StatusCode"] == 7
    finally:
        stopping.join()
        for place in places:
            place.close()


@contextlib.contextmanager
def firewall(engine):
    """Block new connections to *engine* during the block."""
    rule = ("INPUT", "-p", "tcp", "--dport", "2375", "--syn", "-j", "DROP")
    engine.run("iptables", "-I", *rule)
    try:
        yield
    finally:
        engine.run("iptables", "-D", *rule)


def test_a_firewall_stops_scheduling_on_an_engine_and_no_stream(fleet, wait_until):
    engine, docker, site = fleet.engines["new"], fleet.docker(), "constraint:node==new"
    docker("run", "-d", "--name", "farewell", "-e", site, "busybox", "sh", "-c",
           "trap 'echo late; exit 7' USR1; echo ready; while :; do sleep 0.1; done")  # fmt: skip
    wait_until(lambda: "ready" in docker("logs", "farewell"), "the container to run")
    place, knocking = Place(f"127.0.0.1:{fleet.manager.port}"), []

    def is_missed():
        """Return whether the manager has noticed; it does when all open connections are in use."""
        knocking.append(docker.start("logs", "-f", "farewell"))
        return "Unhealthy" in fleet.manager.statuses()

    try:
        with firewall(engine):
            wait_until(is_missed, "the engine to be missed")
            assert "no node fits" in docker.run("create", "-e", site, "busybox").stderr
            engine.api.call("POST", "/containers/farewell/kill?signal=USR1")
            results = place.results()
        assert b"late" in results["logs"]
        assert b"late" in results["attach"]
        assert json.loads(results["wait"])["StatusCode"] == 7
        assert results["die"]
    finally:
        place.close()
        for process in knocking:
            process.kill()
            process.communicate()
        fleet.manager.wait_healthy(3)
