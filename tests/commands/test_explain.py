"""``swarmcore explain`` with embedded engines: its output, and that nothing is created."""

import json
import os
import sys

import pytest

from swarmcore.model import GiB
from swarmcore.testing.embedded import EmbeddedEngine

BODY = {
    "Image": "nginx",
    "Env": ["constraint:zone==b", "constraint:disk==~ssd"],
    "HostConfig": {"Memory": 6 * GiB, "PortBindings": {"80/tcp": [{"HostPort": "80"}]}},
}

#: A docker command that asks what the real one asks, and then what it must not be let do.
DOCKER = f"""#!{sys.executable}
import http.client, json, os, socket, sys

class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))

def ask(method, path, body=None):
    connection = Connection("docker")
    connection.request(method, path, body, {{"Content-Type": "application/json"}})
    answer = connection.getresponse()
    return answer, answer.read()

if sys.argv[1:] == ["--version"]:
    sys.exit(print(os.environ.get("SAYS", "Docker version 28.5.2")))
assert sys.stdin.isatty() and "DOCKER_CONTEXT" not in os.environ
if "--oops" in sys.argv:
    sys.exit("unknown flag: --oops")
ping, _ = ask("GET", "/_ping")
assert ask("POST", "/v1.41/images/create?fromImage=nginx")[0].status == 200
for method, path in [("POST", "/containers/x/start"), ("DELETE", "/containers/x")]:
    assert ask(method, "/v1.41" + path)[0].status == 403
create = f"/v{{ping.headers['Api-Version']}}/containers/create?name=web"
_, said = ask("POST", create, open(sys.argv[-1]).read())
sys.exit(json.loads(said)["message"])
"""


@pytest.fixture
def engines():
    """Two hundred nodes in two zones, some with too little memory."""
    return [
        EmbeddedEngine(
            f"node-{number}",
            memory=(4 if number % 5 == 0 else 8) * GiB,
            labels={"zone": "ab"[number % 2], "disk": "hdd"},
        )
        for number in range(200)
    ]


@pytest.fixture
def docker(tmp_path):
    """Arguments that run the command above with a body from a file."""
    program, body = tmp_path / "docker", tmp_path / "body.json"
    program.write_text(DOCKER)
    program.chmod(0o755)
    body.write_text(json.dumps(BODY))
    return [str(program), "run", str(body)]


def nothing_done(swarmcore):
    assert [path for engine in swarmcore.engines for path in engine.requests_like("POST *")] == []
    assert all(not node.reservations for node in swarmcore.cluster.nodes())
    return True


async def test_two_hundred_nodes_fit_on_a_page(operate, engines, docker):
    async with operate(*engines) as swarmcore:
        page = await swarmcore.text("explain", "--", *docker)
        assert nothing_done(swarmcore)
    lines = page.splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
    assert lines[0] == "web (nginx) would be placed on node-1."
    assert "  dropped     constraint disk==~ssd" in lines
    assert "80 of 200 nodes could take it:" in lines
    assert "120 of 200 nodes could not:" in lines
    assert "    80  constraint zone==b" in lines
    assert "    20  constraint zone==b; memory" in lines
    assert "    20  memory" in lines
    assert "        needs 6 GiB, 4.2 GiB free" in lines


async def test_json_has_every_verdict_on_every_node(operate, engines, docker):
    async with operate(*engines) as swarmcore:
        explained = await swarmcore.json("explain", *docker)
        assert nothing_done(swarmcore)
    assert (explained["Placed"], explained["Node"]) == (True, "node-1")
    nodes = explained["Nodes"]
    assert len(nodes) == 200
    assert sorted(node["Rank"] for node in nodes if node["Rank"]) == list(range(1, 81))
    rules = [verdict["Rule"] for verdict in nodes[0]["Verdicts"]]
    assert {"drained", "unhealthy", "port 80/tcp", "memory"} <= set(rules)
    assert all([each["Rule"] for each in node["Verdicts"]] == rules for node in nodes)
    assert [node["Name"] for node in nodes[1:4]] == explained["Alternates"]


async def test_a_refusal_has_a_status_of_its_own(operate):
    async with operate(EmbeddedEngine("n1", memory=GiB)) as swarmcore:
        body = json.dumps(BODY)
        done = await swarmcore("explain", "--json-config", "-", "--name", "web", stdin=body)
        assert done.returncode == 2
        assert "web (nginx) would be refused:" in done.stdout
        assert "no node fits: 0 of 1 nodes: 1 constraint zone==b" in done.stdout
        assert nothing_done(swarmcore)


async def test_an_error_is_one_line(operate, docker):
    async with operate(EmbeddedEngine("n1", memory=GiB)) as swarmcore:
        for words, environment, said in [
            (["docker", "ps"], {}, "explain takes 'docker run ...'"),
            (["docker", "-H", "x", "run", "y"], {}, "with docker's own options left out"),
            ([*docker, "--oops"], {}, "ended without creating a container: unknown flag: --oops"),
            (docker, {"SAYS": "podman version 5"}, "is not the docker command"),
            (["/nowhere/docker", "run", "x"], {}, "--json-config FILE"),
            (["--json-config", "/nowhere"], {}, "cannot read it"),
            (["--json-config", os.devnull, *docker], {}, "explain takes a command line"),
            ([], {}, "explain takes a command line"),
        ]:
            done = await swarmcore("explain", *words, **environment)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("swarmcore: ")
            assert said in done.stderr
            assert done.stderr.count("\n") == 1
