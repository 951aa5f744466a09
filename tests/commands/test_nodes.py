"""``swarmcore nodes``, ``drain``, ``undrain``, ``label`` and ``decisions``."""

import http.server
import json
import threading

import pytest
import trio

from swarmcore.app import Manager
from swarmcore.errors import ConfigError
from swarmcore.model import GiB
from swarmcore.options import Options
from swarmcore.protocols import DiscoveryURI
from swarmcore.testing.embedded import EmbeddedEngine


@pytest.fixture
def engines():
    return [EmbeddedEngine(name, memory=8 * GiB, labels={"zone": "a"}) for name in ("n1", "n2")]


async def test_nodes_are_a_table_and_notes(operate, engines):
    engines[0].add_container("web", body={"HostConfig": {"Memory": 2 * GiB}})
    async with operate(*engines) as swarmcore:
        await swarmcore.text("drain", "n2", "--reason", "kernel upgrade", "--author", "anna")
        lines = (await swarmcore.text("nodes")).splitlines()
        assert lines[0].split() == [
            *("NODE", "ADDRESS", "STATE", "CPUS", "MEMORY", "RUNNING", "VERSION"),
        ]
        assert lines[1].split()[:1] + lines[1].split()[2:3] == ["n1", "healthy"]
        assert lines[1].split()[4:6] == ["2GiB/8.4GiB", "1/1"]
        assert lines[2].split()[2] == "drained"
        assert lines[3].startswith("    drained: kernel upgrade, by anna, since 20")
        assert lines[5].startswith("2 nodes, 2 healthy, 1 drained; 1 container running; claimed: ")
        assert max(map(len, lines)) <= 80


async def test_one_node_is_shown_whole(operate, engines):
    bindings = {"80/tcp": [{"HostPort": "8080"}]}
    body = {"HostConfig": {"Memory": 2 * GiB, "PortBindings": bindings}}
    engines[0].add_container("web", body=body)
    async with operate(*engines) as swarmcore:
        await swarmcore.text("label", "n1", "rack=r1")
        page = await swarmcore.text("nodes", "n1")
        for line in (
            "n1",
            "  memory      2 GiB of 8.4 GiB claimed, 6.4 GiB free",
            "  ports       8080/tcp web",
            "  added       rack=r1",
        ):
            assert line in page.splitlines()
        (shown,) = await swarmcore.json("nodes", "n1")
        assert shown["Ports"] == [{"Port": "8080/tcp", "Holder": "web"}]


async def test_two_hundred_nodes_fit_a_terminal_of_80_columns(operate):
    engines = [EmbeddedEngine(f"builder-{n}.example.org") for n in range(200)]
    async with operate(*engines) as swarmcore:
        lines = (await swarmcore.text("nodes")).splitlines()
    assert len(lines) == 1 + 200 + 3
    assert max(map(len, lines)) <= 80


async def test_an_added_label_overrides_the_engines_and_can_be_removed(operate, engines):
    async with operate(*engines) as swarmcore:
        await swarmcore.text("label", "n1", "zone=b", "rack=r1")
        assert swarmcore.node("n1").labels["zone"] == "b"
        body = json.dumps({"Image": "x", "Env": ["constraint:zone==b"]})
        explained = await swarmcore.json("explain", "--json-config", "-", stdin=body)
        assert (explained["Node"], explained["Alternates"]) == ("n1", [])
        await swarmcore.text("label", "n1", "zone-", "rack-")
        assert swarmcore.node("n1").labels["zone"] == "a"
        assert "rack" not in swarmcore.node("n1").labels


async def test_a_drain_that_waits_ends_with_the_last_container(operate, engines):
    engine = engines[0]
    engine.add_container("web")
    engine.add_container("job")
    async with operate(*engines) as swarmcore, trio.open_nursery() as nursery:
        said = ""
        async with await swarmcore.started(nursery, "drain", "n1", "--wait") as output:
            async for piece in output:
                said += piece.decode()
                if said.endswith("n1: waiting: 2 containers\n"):
                    assert swarmcore.node("n1").drained
                    for name in ("web", "job"):
                        await stop(swarmcore, name)
        assert "n1: waiting: 2 containers\n" in said
        assert said.endswith("n1: no container is running\n")


async def stop(swarmcore, name):
    """Stop a container directly on its engine."""
    container = swarmcore.cluster.find_container(name)
    engine = swarmcore.cluster.engine_of(container)
    answer = await engine.call("POST", f"/containers/{container.id}/stop?t=0")
    assert answer.ok


async def test_undraining_ends_a_drain_that_waits(operate, engines):
    engines[0].add_container("web")
    async with operate(*engines) as swarmcore, trio.open_nursery() as nursery:
        waiting = []

        async def drain():
            waiting.append(await swarmcore("drain", "n1", "--wait"))

        nursery.start_soon(drain)
        with trio.fail_after(100):
            while swarmcore.node("n1").drained is None:  # noqa: ASYNC110  (state without an event)
                await trio.sleep(0.01)
            await swarmcore.text("undrain", "n1")
            while not waiting:  # noqa: ASYNC110  (state without an event)
                await trio.sleep(0.01)
        (done,) = waiting
        assert done.returncode == 1
        assert done.stderr.endswith("swarmcore: n1 is not drained any more\n")


async def test_settings_survive_a_restart_with_a_file(operate, engines, tmp_path):
    kept = str(tmp_path / "nodes.json")
    async with operate(*engines, node_settings=kept) as swarmcore:
        done = await swarmcore("drain", "n1", "--reason", "noisy", "--author", "anna")
        assert (done.stdout, done.stderr) == ("n1 is drained\n", "")
        await swarmcore.text("label", "n2", "zone=b")
    (tmp_path / "manager.sock").unlink(missing_ok=True)
    async with operate(*engines, node_settings=kept) as swarmcore:
        assert str(swarmcore.node("n1").drained) == "noisy, by anna"
        assert swarmcore.node("n2").labels["zone"] == "b"


async def test_without_a_file_a_change_says_how_long_it_lasts(operate, engines):
    async with operate(*engines) as swarmcore:
        done = await swarmcore("drain", "n1")
        assert done.returncode == 0
        assert "start it with --node-settings FILE" in done.stderr


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path):
    path = tmp_path / "nodes.json"
    path.write_text("drained: n1")
    with pytest.raises(ConfigError, match="--node-settings"):
        Manager(Options(DiscoveryURI("nodes", "127.0.0.1:1"), node_settings=str(path)))


DENYING = """
from swarmcore import hookimpl
from swarmcore.protocols import Denied

@hookimpl
def swarmcore_authorize(request):
    if request.path.startswith("/swarmcore/") and request.method == "POST":
        return Denied("only readers here")
"""


async def test_an_authorization_plugin_is_asked(operate, engines, tmp_path):
    plugin = tmp_path / "denying.py"
    plugin.write_text(DENYING)
    async with operate(*engines, plugins=(str(plugin),)) as swarmcore:
        for words in (["drain", "n1"], ["label", "n1", "zone=b"], ["undrain", "n1"]):
            done = await swarmcore(*words)
            assert (done.returncode, done.stderr) == (1, "swarmcore: only readers here\n")
        assert swarmcore.node("n1").drained is None
        assert len(await swarmcore.json("nodes")) == 2


async def test_decisions_are_listed_in_their_order(operate, engines):
    async with operate(*engines) as swarmcore:
        await swarmcore.text("drain", "n2", "--reason", "noisy", "--author", "anna")
        for name, memory in [("web", 0), ("big", 64 * GiB)]:
            await create(swarmcore, name, memory)
        lines = (await swarmcore.text("decisions")).splitlines()
        assert lines[0].endswith("  web (busybox) to n1, 1 of 2 could; not: 1 drained")
        assert lines[1].endswith("  big (busybox) refused")
        assert lines[2].strip().startswith("no node fits: 0 of 2 nodes: 1 memory (needs 64 GiB,")
        assert max(map(len, lines)) <= 80
        latest = await swarmcore.json("decisions", "--limit", "1")
        assert [(one["Name"], one["Node"]) for one in latest] == [("big", "")]


async def create(swarmcore, name, memory):
    """Send a create to the manager, and ignore the result."""
    body = json.dumps({"Image": "busybox", "HostConfig": {"Memory": memory}}).encode()
    head = (
        f"POST /containers/create?name={name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    path = swarmcore.environment["DOCKER_HOST"].removeprefix("unix://")
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(head.encode() + body)
        async for _ in stream:
            pass


@pytest.fixture
def web_server():
    """The address of a server that is no manager: it answers with HTML."""
    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass


async def test_a_missing_folder_of_certificates_is_named(operate, engines):
    async with operate(*engines) as swarmcore:
        tls = {"DOCKER_CERT_PATH": "/missing", "DOCKER_TLS_VERIFY": "1"}
        done = await swarmcore("nodes", "-H", "tcp://127.0.0.1:1", **tls)
        assert done.stderr == "swarmcore: DOCKER_CERT_PATH=/missing: no such directory\n"
        assert done.returncode == 1


async def test_an_error_is_one_line(operate, engines, web_server):
    async with operate(*engines) as swarmcore:
        for words, said in [
            (["drain"], "drain takes NODE; 'swarmcore nodes' lists the nodes"),
            (["drain", "n9"], "No such node: n9; "),
            (["label", "n1"], "at least one KEY=VALUE or KEY-"),
            (["label", "n1", "zone"], "'zone' must be KEY=VALUE, or KEY-"),
            (["label", "n1", "zone-"], "is set by its engine"),
            (["label", "n1", "node=x"], "this key means the node's name"),
            (["decisions", "x"], "takes no argument"),
            (["decisions", "-n", "0"], "--limit is 1 or more"),
            (["nodes", "-H", "127.0.0.1:1"], "no answer from a manager at 127.0.0.1:1"),
            (["nodes", "-H", "what"], "missing port in address"),
            (["nodes", "-H", engines[0].address], "is not a swarmcore manager"),
            (["nodes", "-H", web_server], "is not a swarmcore manager"),
        ]:
            done = await swarmcore(*words)
            assert (done.returncode, done.stdout) == (1, "")
            assert said in done.stderr
            assert done.stderr.count("\n") == 1
