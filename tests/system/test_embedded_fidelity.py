"""The embedded engine answers like a real engine of the release that it reports.

One scenario runs with both.  Status, content type, error texts without ids, and the keys and types
of JSON are compared; intended differences are listed below.
"""

import http.client
import json
import re
import threading
import time
from urllib.parse import quote

import pytest
import trio

from swarmcore.testing.embedded import EmbeddedEngine

pytestmark = pytest.mark.docker

WEB = {
    "Image": "busybox",
    "Cmd": ["sleep", "1000"],
    "Labels": {"a": "b"},
    "ExposedPorts": {"80/tcp": {}},
    "HostConfig": {
        "Memory": 1 << 26,
        "NanoCpus": 500_000_000,
        "PortBindings": {"80/tcp": [{"HostPort": "8080"}]},
        "Binds": ["v1:/data"],
    },
}
CLASH = {"Image": "busybox", "Cmd": ["sleep", "9"]} | {
    key: WEB[key] if key == "ExposedPorts" else {"PortBindings": WEB["HostConfig"]["PortBindings"]}
    for key in ("ExposedPorts", "HostConfig")
}
ECHO = {"Cmd": ["sh", "-c", "echo hi; exit 3"], "AttachStdout": True}

#: Method, path, body; ``{exec}`` is the id that the last exec create answered.
SCENARIO = [
    ("GET", "/_ping", None),
    ("HEAD", "/_ping", None),
    ("GET", "/version", None),
    ("GET", "/info", None),
    ("GET", "/images/json", None),
    ("GET", "/images/busybox/json", None),
    ("GET", "/images/nope/json", None),
    ("GET", "/networks", None),
    ("GET", "/networks/bridge", None),
    ("GET", "/networks/nope", None),
    ("GET", "/volumes", None),
    ("POST", "/containers/create?name=web", WEB),
    ("POST", "/containers/create?name=web", WEB),
    ("POST", "/containers/create?name=w%20eb", WEB),
    ("POST", "/containers/create", {"Image": "nope"}),
    ("POST", "/containers/create", {}),
    ("POST", "/containers/create", None),
    ("GET", "/containers/web/json", None),
    ("GET", "/containers/json?all=1", None),
    ("POST", "/containers/web/start", None),
    ("POST", "/containers/web/start", None),
    ("GET", "/containers/web/json?size=1", None),
    ("GET", "/containers/json", None),
    ("GET", "/containers/json?size=1", None),
    ("POST", "/containers/create?name=web2", CLASH),
    ("POST", "/containers/web2/start", None),
    ("GET", "/containers/web2/json", None),
    ("DELETE", "/containers/web", None),
    ("POST", "/containers/web/rename?name=web2", None),
    ("POST", "/containers/web/rename?name=web3", None),
    ("POST", "/containers/web3/pause", None),
    ("POST", "/containers/web3/pause", None),
    ("GET", "/containers/json", None),
    ("POST", "/containers/web3/unpause", None),
    ("POST", "/containers/web3/unpause", None),
    ("POST", "/containers/web3/update", {"Memory": 1 << 27, "MemorySwap": -1}),
    ("GET", "/containers/web3/top", None),
    ("GET", "/containers/web3/stats?stream=0&one-shot=1", None),
    ("POST", "/containers/web3/exec", ECHO),
    ("GET", "/exec/{exec}/json", None),
    ("POST", "/exec/{exec}/start", {}),
    ("GET", "/exec/{exec}/json", None),
    ("POST", "/exec/{exec}/start", {}),
    ("POST", "/exec/nope/start", {}),
    ("GET", "/exec/nope/json", None),
    ("POST", "/containers/nope/exec", ECHO),
    ("POST", "/containers/web3/exec", {}),
    ("POST", "/containers/nope/exec", {}),
    ("POST", "/containers/web3/exec", []),
    ("POST", "/containers/web3/exec", {"Cmd": "true"}),
    ("POST", "/containers/web3/exec", {"cmd": ["true", 1]}),
    ("POST", "/containers/web3/exec", {"Cmd": ["true"], "tty": 1}),
    ("POST", "/exec/nope/start", {"Detach": "yes"}),
    ("POST", "/exec/nope/start", "text"),
    ("POST", "/containers/web2/exec", ECHO),
    ("POST", "/containers/web3/kill?signal=NOPE", None),
    ("POST", "/containers/web3/resize?h=x&w=1", None),
    ("HEAD", "/containers/web3/archive?path=/bin", None),
    ("GET", "/containers/web3/archive?path=/nope", None),
    ("GET", "/containers/web3/archive", None),
    ("POST", "/containers/web3/kill", None),
    ("POST", "/containers/web3/wait", None),
    ("POST", "/containers/web3/kill", None),
    ("POST", "/containers/web3/stop", None),
    ("POST", "/containers/web3/pause", None),
    ("GET", "/containers/web3/stats?stream=0&one-shot=1", None),
    ("GET", "/containers/web3/top", None),
    ("POST", "/containers/web3/wait?condition=foo", None),
    ("POST", "/containers/nope/wait", None),
    ("GET", "/containers/web3/json", None),
    ("GET", "/containers/web3/logs?stdout=1", None),
    ("GET", "/containers/web3/logs", None),
    ("GET", "/containers/nope/logs?stdout=1", None),
    ("POST", "/containers/web3/attach?stdout=1", None),
    ("POST", "/containers/nope/attach?stdout=1", None),
    ("POST", "/containers/web3/resize?h=1&w=1", None),
    ("DELETE", "/images/busybox", None),
    ("POST", "/images/busybox/tag?repo=a/b&tag=c", None),
    ("GET", "/images/json", None),
    ("DELETE", "/images/a/b:c", None),
    ("DELETE", "/images/nope", None),
    ("POST", "/images/nope/tag?repo=a", None),
    ("GET", "/images/busybox/history", None),
    ("DELETE", "/containers/web3?v=1", None),
    ("DELETE", "/containers/web2", None),
    ("DELETE", "/containers/web2", None),
    ("POST", "/networks/create", {"Name": "net1"}),
    ("POST", "/networks/create", {"Name": "net1"}),
    ("GET", "/networks/net1", None),
    ("DELETE", "/networks/net1", None),
    ("DELETE", "/networks/net1", None),
    ("DELETE", "/networks/bridge", None),
    ("POST", "/volumes/create", {"Name": "v9"}),
    ("GET", "/volumes", None),
    ("GET", "/volumes/nope", None),
    ("DELETE", "/volumes/nope", None),
    ("DELETE", "/volumes/v9", None),
    ("DELETE", "/volumes/v1", None),
    ("GET", "/system/df", None),
    ("GET", "/nope", None),
    ("GET", "/v1.99/info", None),
    ("GET", "/v1.10/info", None),
    ("GET", '/containers/json?filters={"x":["y"]}', None),
    ("GET", "/containers/json?filters=zzz", None),
    ("GET", '/images/json?filters={"x":["y"]}', None),
    ("GET", "/events?since=5&until=1", None),
    ("GET", "/events?since=abc", None),
    ("GET", "/swarm", None),
]

#: Where a real engine says more, and nobody who tests a manager needs it.
LEFT_OUT = re.compile(
    r"\.Runtimes\.|\.memory_stats\.|\.Components\.|percpu_usage|\.DriverStatus|\.Plugins\.|"
    r"\.GraphDriver\.Data|\.Options\.com\.docker\.network|\.DNSNames|LastTagTime|\.RegistryConfig\."
)


class Target:
    """One engine; each request has a new connection."""

    def __init__(self, address):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.exec_id = ""

    def ask(self, method, path, body):
        """Return status, content type and body, decoded if it is JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        headers = {"Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = quote(path.replace("{exec}", self.exec_id), safe="/?=&%:.")
        content = None if body is None else json.dumps(body)
        connection.request(method, target, content, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        kind = answer.headers.get("Content-Type", "")
        stream = path.startswith("/events") and answer.status == 200
        value = json.loads(data) if kind == "application/json" and data and not stream else data
        if path.endswith("/exec") and answer.status == 201:
            self.exec_id = value["Id"]
        return answer.status, kind, value


@pytest.fixture(scope="module")
def embedded():
    """The address of an embedded engine in a separate thread."""
    ready, parts = threading.Event(), {}

    async def serve():
        with trio.CancelScope() as parts["scope"]:
            async with EmbeddedEngine("n1").serving() as engine:
                parts["engine"], parts["token"] = engine, trio.lowlevel.current_trio_token()
                ready.set()
                await trio.sleep_forever()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(60)
    yield parts["engine"].address
    parts["token"].run_sync_soon(parts["scope"].cancel)
    thread.join(10)


def scrub(text):
    """Return a text without ids, addresses and versions."""
    text = re.sub(r"[0-9a-f]{64}|\b[0-9a-f]{12}\b", "ID", text)
    # Of the addresses of a port that is taken a real engine names either, by chance.
    return re.sub(r"\d+\.\d+\.\d+\.\d+|(?<=Bind for )::(?=:)", "IP", text)


def differences(real, ours, where=""):
    """Describe how the embedded engine's answer differs."""
    if LEFT_OUT.search(where):
        return
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in real.keys() - ours.keys():
            if not LEFT_OUT.search(f"{where}.{key}."):
                yield f"{where}: lacks {key}"
        for key in ours.keys() - real.keys():
            if not LEFT_OUT.search(f"{where}.{key}."):
                yield f"{where}: has {key}"
        for key in real.keys() & ours.keys():
            yield from differences(real[key], ours[key], f"{where}.{key}")
    elif isinstance(real, list) and isinstance(ours, list):
        if real and ours:
            yield from differences(real[0], ours[0], f"{where}[]")
    elif where.endswith(".message"):
        if scrub(real) != scrub(ours):
            yield f"{where}: says {ours!r} instead of {real!r}"
    elif isinstance(real, bytes) and isinstance(ours, bytes):
        if scrub(real.decode("latin-1")) != scrub(ours.decode("latin-1")):
            yield f"{where}: sends {ours!r} instead of {real!r}"
    elif real is not None and ours is not None and type(real) is not type(ours):
        yield f"{where}: is {ours!r} instead of {real!r}"


def test_the_embedded_engine_answers_as_a_real_one(lab, embedded):
    real_engine = lab.start_engine("fidelity", "28.5")
    lab.image(real_engine)
    real, ours = Target(real_engine.address), Target(embedded)
    found = []
    for number, (method, path, body) in enumerate(SCENARIO):
        step = f"{number} {method} {path}"
        (status, kind, value), (our_status, our_kind, our_value) = (
            target.ask(method, path, body) for target in (real, ours)
        )
        if (our_status, our_kind) != (status, kind):
            found.append(f"{step}: {our_status} {our_kind!r} instead of {status} {kind!r}")
        found += [f"{step}: {line}" for line in differences(value, our_value)]
    assert found == [], "\n" + "\n".join(found)


#: What makes every kind of event that a manager acts on.
TOLD = [
    ("POST", "/volumes/create", {"Name": "told"}),
    ("POST", "/networks/create", {"Name": "told"}),
    ("POST", "/containers/create?name=told", WEB | {"HostConfig": {"NetworkMode": "told"}}),
    ("POST", "/containers/told/start", None),
    ("POST", "/containers/told/exec", ECHO),
    ("POST", "/exec/{exec}/start", {}),
    ("POST", "/containers/told/rename?name=retold", None),
    ("POST", "/containers/retold/pause", None),
    ("POST", "/containers/retold/unpause", None),
    ("POST", "/containers/retold/update", {"Memory": 1 << 27, "MemorySwap": -1}),
    ("POST", "/containers/retold/restart?t=0", None),
    ("POST", "/containers/retold/kill", None),
    ("POST", "/containers/retold/wait", None),
    ("POST", "/images/busybox/tag?repo=told&tag=1", None),
    ("DELETE", "/images/told:1", None),
    ("DELETE", "/containers/retold", None),
    ("DELETE", "/networks/told", None),
    ("DELETE", "/volumes/told", None),
]


def events_of(target, steps):
    """Return the events of *steps* at a target: type, action, and names of attributes."""
    since = f"{time.time():.6f}"
    for method, path, body in steps:
        status, _, value = target.ask(method, path, body)
        assert status < 400, (method, path, value)
    until = f"{time.time():.6f}"
    told = target.ask("GET", f"/events?since={since}&until={until}", None)[2]
    events = [json.loads(line) for line in told.splitlines()]
    return {
        (each["Type"], each["Action"], *sorted(each["Actor"]["Attributes"]), *sorted(each))
        for each in events
    }


def test_the_embedded_engine_sends_the_events_of_a_real_one(lab, embedded):
    real_engine = lab.start_engine("told", "28.5")
    lab.image(real_engine)
    real, ours = (events_of(Target(each), TOLD) for each in (real_engine.address, embedded))
    # As sets: where two tasks of a real engine race, the order is chance, and a real ``sleep`` is
    # sent two signals before it ends.
    assert ours - real == set()
    assert real - ours == set()
