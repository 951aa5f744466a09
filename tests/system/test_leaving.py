"""The work that ends when a client disconnects, on an engine and with a manager.

docs/api.md has the same table.
"""

import json
import re
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.system.overseeing import Proxy, SlowRegistry
from tests.system.tars import tar_of

pytestmark = pytest.mark.docker

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
ENDED, WENT_ON = "ends", "goes on"


@pytest.fixture(scope="module")
def registry(lab):
    registry = SlowRegistry(lab.gateway)
    yield registry
    registry.close()


@pytest.fixture(scope="module")
def engine(engines):
    """The newest engine, with a running container, and with an ended one of 64 MB."""
    engine = engines["new"]

    def run(name, *command):
        config = {"Image": "busybox", "Cmd": command, "HostConfig": {"Init": True}}
        engine.api.call("POST", f"/containers/create?name={name}", config)
        engine.api.call("POST", f"/containers/{name}/start")

    run("living", "sh", "-c", "while echo here; do sleep 1; done")
    run("large", "dd", "if=/dev/zero", "of=/large", "bs=1M", "count=64")
    engine.api.call("POST", "/containers/large/wait")
    engine.api.call("POST", "/commit?container=large&repo=lab/large&tag=1", {})
    yield engine
    for name in ("living", "large"):
        engine.api.call("DELETE", f"/containers/{name}?force=1")
    engine.api.call("DELETE", "/images/lab/large:1")


class Place:
    """An address for a client; all requests reach the engine through a proxy."""

    def __init__(self, name, address, engine, proxy, registry, wait_until):
        self.name, self.address = name, address
        self.engine, self.proxy, self.registry = engine, proxy, registry
        self.wait_until = wait_until
        #: Of the containers: a manager asks by id, whatever it was asked by.
        self.ids = {
            name: engine.api.call("GET", f"/containers/{name}/json")["Id"]
            for name in ("living", "large")
        }

    def ask(self, method, path, body=b"", *headers):
        """Return a connection on which an answer has begun."""
        host, _, port = self.address.rpartition(":")
        client = socket.create_connection((host, int(port)), 60)
        lines = [f"{method} /v1.41{path} HTTP/1.1", "Host: lab", *headers,
                 f"Content-Length: {len(body)}", "", ""]  # fmt: skip
        client.sendall("\r\n".join(lines).encode() + body)
        assert client.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 101")
        return client

    @property
    def is_followed(self):
        """Return whether a client follows events; a manager follows its engine once for all."""
        if self.name == "engine":
            return self.proxy.carries("/events")
        with urllib.request.urlopen(f"http://{self.address}/info", timeout=60) as answer:
            return json.load(answer)["NEventsListener"] > 0

    def is_running(self, name):
        return self.engine.api.call("GET", f"/containers/{name}/json")["State"]["Running"]


@pytest.fixture(scope="module", params=["engine", "manager"])
def place(request, engine, registry, start_manager, wait_until):
    proxy = Proxy(engine.address)
    address = proxy.address
    if request.param == "manager":
        manager = start_manager(proxy.address)
        manager.wait_healthy(1)
        address = f"127.0.0.1:{manager.port}"
    yield Place(request.param, address, engine, proxy, registry, wait_until)
    if request.param == "manager":
        manager.stop()
    proxy.close()


def carried(method, path):
    """Work that lasts as long as the connection to the engine."""

    def leave(place):
        asked = path.format_map(place.ids)
        client = place.ask(method, asked)
        place.wait_until(lambda: place.proxy.carries(asked), f"{asked} to be under way")
        client.close()
        place.wait_until(lambda: not place.proxy.carries(asked), f"{asked} to end")
        return ENDED

    return leave


def events(place):
    client = place.ask("GET", "/events")
    place.wait_until(lambda: place.is_followed, "the client to follow")
    client.close()
    place.wait_until(lambda: not place.is_followed, "the follower to be gone")
    return ENDED


def build(place):
    def steps():
        return [each for each in place.engine.api.call("GET", "/containers/json")
                if "sleep 4242" in each["Command"]]  # fmt: skip

    context = tar_of("Dockerfile", b"FROM busybox\nRUN sleep 4242\n")
    client = place.ask("POST", "/build?forcerm=1", context, "Content-Type: application/x-tar")
    place.wait_until(steps, "the build's step to run")
    client.close()
    place.wait_until(lambda: not steps(), "the build's step to end")
    return ENDED


def pull(place):
    image = f"{place.registry.address}/slow"
    client = place.ask("POST", f"/images/create?fromImage={image}&tag=1")
    place.wait_until(lambda: place.registry.is_asked, "the layer to be fetched")
    client.close()
    place.wait_until(lambda: not place.registry.is_asked, "the fetching to end")
    return ENDED


def attach(place):
    path = f"/containers/{place.ids['living']}/attach?stream=1&stdout=1"
    place.ask("POST", path, b"", "Connection: Upgrade", "Upgrade: tcp").close()
    place.wait_until(lambda: not place.proxy.carries(path), "the tunnel to end")
    return WENT_ON if place.is_running("living") else ENDED


def run_in(place):
    """``exec``: its process sees the end of its input, and works on after it."""
    name = place.ids["living"]
    mark = f"/after-{place.name}"
    config = {"Cmd": ["sh", "-c", f"echo here; cat >/dev/null; touch {mark}"], "AttachStdin": True,
              "AttachStdout": True}  # fmt: skip
    id = place.engine.api.call("POST", f"/containers/{name}/exec", config)["Id"]
    client = place.ask("POST", f"/exec/{id}/start", b"{}", "Content-Type: application/json",
                       "Connection: Upgrade", "Upgrade: tcp")  # fmt: skip
    seen = b""
    while b"here" not in seen:
        data = client.recv(65536)
        assert data, seen
        seen += data
    client.close()
    place.wait_until(
        lambda: not place.engine.api.call("GET", f"/exec/{id}/json")["Running"], "the exec to end"
    )
    changed = [each["Path"] for each in place.engine.api.call("GET", f"/containers/{name}/changes")]
    return WENT_ON if mark in changed else ENDED


WORK = {
    "build": build,
    "pull": pull,
    "logs": carried("GET", "/containers/{living}/logs?follow=1&stdout=1"),
    "events": events,
    "stats": carried("GET", "/containers/{living}/stats"),
    "wait": carried("POST", "/containers/{living}/wait"),
    "export": carried("GET", "/containers/{large}/export"),
    "save": carried("GET", "/images/lab/large:1/get"),
    "exec": run_in,
    "attach": attach,
}


@pytest.mark.parametrize("work", WORK)
def test_the_work_that_ends_with_its_client(place, work):
    row = re.search(rf"^\| [^|]*`{work}`[^|]* \| (.*?)(?:[;,:].*)? \|$", PAGE, re.MULTILINE)
    assert row is not None, f"docs/api.md does not say what becomes of {work}"
    assert WORK[work](place) == row[1]
