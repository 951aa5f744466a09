"""The whole manager as a process: how it stops, and its errors when it cannot start."""

import http.client
import json
import resource
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SWARMCORE = Path(sys.executable).with_name("swarmcore")


def refusal(*arguments):
    """Return the one line of error with which a manager ends."""
    done = subprocess.run(
        [SWARMCORE, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plugin", "strategy_ghost", "h:1"], ["'strategy_ghost'", "installed:"]),
        (["--plugin", "./ghost.py", "h:1"], ["ghost.py"]),
        (["--strategy", "best", "h:1"], ["strategy_best", "installed:"]),
        (["--filter", "rain", "h:1"], ["filter_rain", "installed:"]),
        (["--cluster-opt", "swarm.overcommit=lots", "h:1"], ["swarm.overcommit", "lots"]),
        (["--cluster-opt", "swarm.weight.disk=1", "h:1"], ["swarm.weight.disk", "image"]),
        (["--heartbeat", "soon", "h:1"], ["--heartbeat", "soon"]),
        (["h:1:2:3"], ["h:1:2:3"]),
        (["h"], ["'h'", "port"]),
        (["ftp://h"], ["ftp"]),
        (["file:///nowhere/at/all"], ["/nowhere/at/all"]),
        (["-H", "http://x:1", "h:1"], ["http"]),
        (["--tlsverify", "h:1"], ["--tlscert", "--tls"]),
        ([], ["discovery"]),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_invalid_input_is_one_line_that_names_it(arguments, words):
    line = refusal("manage", "-H", "127.0.0.1:0", *arguments)
    assert line.startswith("swarmcore: ")
    for word in words:
        assert word in line


def test_a_port_in_use_is_one_line_that_names_it():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        line = refusal("manage", "-H", f"127.0.0.1:{port}", "127.0.0.1:1")
    assert f"127.0.0.1:{port}" in line
    assert "in use" in line


class Managed:
    """A manager on a unix socket, whose engines do not answer."""

    def __init__(self, folder, *arguments, limits=None, discovery="127.0.0.1:1"):
        self.path, self.said = folder / "manager.sock", []
        command = [SWARMCORE, "manage", "-H", f"unix://{self.path}", *arguments, discovery]
        if limits is not None:
            command = ["prlimit", "--nofile={}:{}".format(*limits), *command]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            self.said.append(line)
            if "Listening" in line:
                break

    def connect(self):
        """Return a raw connection as soon as the manager listens."""
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.path))
            except OSError:
                connection.close()
                assert self.process.poll() is None
                continue
            return connection

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def managed(tmp_path):
    started = []

    def start(*arguments, **options):
        started.append(Managed(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for each in started:
        each.end()


BROKEN_DISCOVERY = """
from swarmcore import hookimpl

@hookimpl
def swarmcore_discovery(uri):
    return Broken() if uri.scheme == "broken" else None

class Broken:
    async def watch(self, sink):
        {}
"""


@pytest.mark.parametrize("fault", ["raise OSError('no luck')", "sink.entries(['no luck'])"])
def test_a_discovery_that_breaks_is_named_in_the_log_and_in_info(managed, tmp_path, fault):
    (tmp_path / "broken.py").write_text(BROKEN_DISCOVERY.format(fault))
    manager = managed("--plugin", str(tmp_path / "broken.py"), discovery="broken://")
    while "Discovery error: discovery broken:// failed: " not in manager.process.stderr.readline():
        assert manager.process.poll() is None
    with manager.connect() as client:
        client.sendall(b"GET /info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = http.client.HTTPResponse(client)
        answer.begin()
        rows = dict(json.load(answer)["SystemStatus"])
    assert rows["Discovery"].startswith("discovery broken:// failed: ")
    assert rows["Nodes"] == "0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_zero_and_no_socket_left(managed, number):
    manager = managed()
    manager.connect().close()
    manager.process.send_signal(number)
    assert manager.process.wait(60) == 0
    assert not manager.path.exists()


def test_a_second_signal_does_not_wait_for_the_first(managed):
    manager = managed("--grace-period=1h")
    with manager.connect() as follower:
        follower.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert follower.recv(15) == b"HTTP/1.1 200 OK"
        with manager.connect() as waiting:
            waiting.sendall(
                b"POST /containers/create HTTP/1.1\r\nHost: x\r\n"
                b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"
            )
            assert waiting.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it is under way
            manager.process.send_signal(signal.SIGTERM)
            assert any("finishing" in line for line in manager.process.stderr)
            manager.process.send_signal(signal.SIGTERM)
            assert manager.process.wait(60) == 1


@pytest.mark.parametrize(
    ("hard", "words"),
    [
        (2000, ["from 256 to 2000", "the limit of open files is 2000"]),
        (5000, ["from 256 to 5000"]),
    ],
)
def test_a_manager_raises_the_limit_of_files_and_warns_if_it_is_low(managed, hard, words):
    manager = managed("--debug", limits=(256, hard))
    assert resource.prlimit(manager.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    told = [line for line in manager.said if "open files" in line]
    assert len(told) == len(words)
    assert all(word in line for word, line in zip(words, told, strict=True))


def test_a_manager_without_engines_answers_and_says_so(managed):
    manager = managed()
    with manager.connect() as connection:
        client = http.client.HTTPConnection("localhost")
        client.sock = connection
        client.request("GET", "/info")
        info = json.load(client.getresponse())
        assert dict(info["SystemStatus"])["Nodes"] == "1"
        client.request(
            "POST", "/containers/create", '{"Image": "x"}', {"Content-Type": "application/json"}
        )
        answer = client.getresponse()
        assert answer.status == 503
        assert "No healthy node" in json.load(answer)["message"]


def test_weights_in_options_are_part_of_every_decision(managed):
    opts = ["swarm.weight.image=2", "swarm.spread=zone", "swarm.weight.failures=0.5"]
    manager = managed(*(word for opt in opts for word in ("--cluster-opt", opt)))
    with manager.connect() as connection:
        client = http.client.HTTPConnection("localhost")
        client.sock = connection
        kind = {"Content-Type": "application/json"}
        client.request("POST", "/swarmcore/explain", '{"Image": "x"}', kind)
        weighers = json.load(client.getresponse())["Weighers"]
    assert {each["Name"]: each["Multiplier"] for each in weighers} == {
        "spread zone (service)": None,
        "spread zone": None,
        "image": 2.0,
        "failures": 0.5,
    }


def test_a_deployment_line_of_classic_starts(managed, tmp_path):
    command = "-l debug -experimental manage --heartbeat=1s --cluster-opt swarm.overcommit=0.1"
    path = tmp_path / "classic.sock"
    with subprocess.Popen(
        [SWARMCORE, *command.split(), "-H", f"unix://{path}", "h1:2375,h2:2375"],
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        said = ""
        for line in process.stderr:
            said += line
            if "Listening" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(60) == 0, said


GROUPS = '[{"targets": ["unix:///run/docker.sock", "127.0.0.1:1"]}]'


@pytest.mark.parametrize("allowed", [False, True])
def test_a_list_from_a_server_cannot_name_a_socket(managed, tmp_path, allowed):
    (tmp_path / "list").write_text(GROUPS)
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        manager = managed(
            *(["--unix-engines"] if allowed else []),
            discovery=f"prometheus+http://127.0.0.1:{server.server_port}/list",
        )
        rows = {}
        while rows.get("Nodes") != ("2" if allowed else "1"):
            with manager.connect() as connection:
                client = http.client.HTTPConnection("localhost")
                client.sock = connection
                client.request("GET", "/info")
                rows = dict(json.load(client.getresponse())["SystemStatus"])
        server.shutdown()
    assert ("--unix-engines" in rows.get("Discovery", "")) is not allowed
