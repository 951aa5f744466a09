"""Swarm classic's answers with ``swarm.compat=classic``, field by field, as scripts read them.

The rows are those of classic's API reference; other parts of the answers may differ.
"""

import json
import re
import socket
from urllib.parse import quote

import pytest

from tests.system.raw_requests import ask as ask_raw

pytestmark = pytest.mark.docker

#: Rows of a healthy node in ``info``, in order, and the form of their values.
NODE_ROWS = {
    "ID": r"([A-Z0-9:]+|[0-9a-f-]{36})\|[\d.]+:2375",
    "Status": r"Healthy",
    "Containers": r"\d+ \(\d+ Running, \d+ Paused, \d+ Stopped\)",
    "Reserved CPUs": r"\d+ / \d+",
    "Reserved Memory": r"(0 B|[\d.]{1,5} [KMG]iB) / [\d.]{1,5} GiB",
    "Labels": r"\w+=[^,]*(, \w+=[^,]*)*",
    "UpdatedAt": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "ServerVersion": r"\d+\.\d+\.\d+.*",
}


class Asking:
    """Sends HTTP requests to one manager."""

    def __init__(self, manager):
        self._address = f"127.0.0.1:{manager.port}"

    def __call__(self, method, path, body=None):
        return ask_raw(self._address, method, f"/v1.41{path}", body)

    def json(self, method, path, body=None):
        reply = self(method, path, body)
        assert reply.status < 300, reply.body
        return reply.json

    def lines(self, method, path, body=None):
        """Return the JSON lines of a stream that begins with a success."""
        reply = self(method, path, body)
        assert reply.status == 200, reply.body
        return [json.loads(line) for line in reply.body.splitlines() if line]

    def refused(self, method, path, body=None):
        reply = self(method, path, body)
        assert reply.status >= 400, reply.body
        return reply.status, reply.json["message"]

    def listed(self, kind, **filters):
        """Return the objects of *kind* that pass *filters*."""
        return self.json("GET", f"/{kind}?all=1&filters={quote(json.dumps(filters))}")


@pytest.fixture(scope="module")
def ask(engines, start_manager):
    addresses = ",".join(engine.address for engine in engines.values())
    manager = start_manager("--api-enable-cors", "--cluster-opt", "swarm.compat=classic", addresses)
    manager.wait_healthy(len(engines))
    return Asking(manager)


@pytest.fixture(scope="module")
def web(ask):
    """A running container on ``old``, with a published port and a label, and a created one."""
    body = {
        "Image": "busybox",
        "Cmd": ["sleep", "1000"],
        "Env": ["constraint:node==old"],
        "Labels": {"tier": "front"},
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {
            "Memory": 64 * 1024 * 1024,
            "CpuShares": 1,
            "PortBindings": {"80/tcp": [{"HostPort": "18111"}]},
        },
    }
    id = ask.json("POST", "/containers/create?name=classic-web", body)["Id"]
    idle = {"Image": "busybox", "Env": ["constraint:node==new"]}
    idle_id = ask.json("POST", "/containers/create?name=classic-idle", idle)["Id"]
    assert ask("POST", f"/containers/{id}/start")[0] == 204
    yield id
    for each in (id, idle_id):
        ask("DELETE", f"/containers/{each}?force=1&v=1")


def test_a_listed_container_has_its_node_before_its_name_and_its_nodes_ip(ask, web, engines):
    (shown,) = ask.listed("containers/json", id=[web])
    assert shown["Names"] == ["/old/classic-web"]
    assert shown["Ports"][0]["IP"] == engines["old"].address.rpartition(":")[0]
    assert shown["Labels"]["tier"] == "front"
    assert re.fullmatch(r"Up (Less than a|\d+) seconds?|Up About a minute", shown["Status"])
    assert shown["State"] == "running"


def test_a_container_that_never_started_is_created(ask, web):
    (shown,) = ask.listed("containers/json", name=["classic-idle"])
    assert (shown["Names"], shown["Status"]) == (["/new/classic-idle"], "Created")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": ["^classic-web$"]}, {"classic-web"}),
        ({"name": ["classic-"]}, {"classic-web", "classic-idle"}),
        ({"name": ["classic-"], "node": ["old"]}, {"classic-web"}),
        ({"name": ["classic-"], "node": ["ne"]}, {"classic-idle"}),  # searched, not compared
        ({"name": ["classic-"], "status": ["created"]}, {"classic-idle"}),
        ({"name": ["classic-"], "label": ["tier=front"]}, {"classic-web"}),
        ({"name": ["classic-"], "label": ["tier"], "node": ["new"]}, set()),
        ({"name": ["classic-"], "is-task": ["true"]}, set()),
    ],
)
def test_filters_of_containers_read_as_classics(ask, web, filters, found):
    names = {
        each["Names"][0].rpartition("/")[2] for each in ask.listed("containers/json", **filters)
    }
    assert names == found


def test_an_inspected_container_has_its_node_and_a_plain_name(ask, web, engines):
    shown = ask.json("GET", "/containers/old/classic-web/json")
    ip, _, _ = engines["old"].address.rpartition(":")
    assert shown["Id"] == web
    assert shown["Name"] == "/classic-web"
    node = shown["Node"]
    assert node.keys() == {"ID", "IP", "Addr", "Name", "Cpus", "Memory", "Labels"}
    assert (node["Name"], node["IP"], node["Addr"]) == ("old", ip, engines["old"].address)
    assert node["Cpus"] > 0
    assert node["Memory"] > 2**28
    assert shown["NetworkSettings"]["Ports"]["80/tcp"][0]["HostIp"] == ip
    assert shown["HostConfig"]["CpuShares"] == 1024 // node["Cpus"]


def test_missing_objects_have_classics_error(ask):
    assert ask.refused("GET", "/containers/ghost/json") == (404, "No such container: ghost")
    assert ask.refused("POST", "/containers/ghost/start") == (404, "No such container: ghost")
    status, text = ask.refused("GET", "/images/ghost/json")
    assert (status, "No such image: ghost" in text) == (404, True)
    for kind in ("networks", "volumes"):
        status, text = ask.refused("GET", f"/{kind}/ghost")
        assert (status, "ghost" in text) == (404, True)


def test_info_has_classics_rows_in_classics_order(ask, web, engines):
    info = ask.json("GET", "/info")
    rows = info["SystemStatus"]
    head = dict(rows[:4])
    assert list(head) == ["Role", "Strategy", "Filters", "Nodes"]
    assert head == {
        "Role": "primary",
        "Strategy": "spread",
        "Filters": head["Filters"],
        "Nodes": str(len(engines)),
    }
    chain = "health, port, containerslots, dependency, affinity, constraint, whitelist"
    assert head["Filters"].startswith(chain)
    per_node = len(NODE_ROWS) + 1
    blocks = [rows[at : at + per_node] for at in range(4, len(rows), per_node)]
    assert [(key, value) for (key, value), *_ in blocks] == [
        (f" {name}", engines[name].address) for name in sorted(engines)
    ]
    for _, *block in blocks:
        assert [key for key, _ in block] == [f"  └ {key}" for key in NODE_ROWS]
        for (_, value), form in zip(block, NODE_ROWS.values(), strict=True):
            assert re.fullmatch(form, value), (value, form)


def test_info_sums_the_cluster_with_overcommit(ask, web, engines):
    info = ask.json("GET", "/info")
    told = [engine.api.call("GET", "/info") for engine in engines.values()]
    assert info["NCPU"] >= sum(each["NCPU"] for each in told)
    assert info["MemTotal"] >= int(sum(each["MemTotal"] for each in told) * 1.04)
    assert info["Containers"] == sum(each["Containers"] for each in told)
    assert info["ContainersRunning"] >= 1
    assert info["ServerVersion"].startswith("swarm/")
    assert info["Name"] == socket.gethostname()
    reserved = [value for key, value in info["SystemStatus"] if key == "  └ Reserved Memory"]
    assert any(value.startswith("64 MiB / ") for value in reserved)


def test_version_is_swarms(ask):
    version = ask.json("GET", "/version")
    assert version["Version"].startswith("swarm/")
    assert version["Os"] == "linux"
    assert {"ApiVersion", "GitCommit", "GoVersion", "Arch", "KernelVersion"} <= version.keys()


def test_pages_of_other_origins_may_send_requests(ask):
    status, headers, _ = ask("OPTIONS", "/info")
    assert status == 200
    for answer in (headers, ask("GET", "/_ping")[1]):
        assert answer["access-control-allow-origin"] == "*"
        assert answer["access-control-allow-headers"].startswith(
            "Origin, X-Requested-With, Content-Type, Accept"
        )
        assert answer["access-control-allow-methods"].startswith("GET, POST, DELETE, PUT, OPTIONS")


def test_images_are_merged_and_are_filtered_by_node(ask, engines):
    (shown,) = ask.listed("images/json", reference=["busybox"], node=["old"])
    assert "busybox:latest" in shown["RepoTags"]
    assert isinstance(shown["RepoDigests"], list)
    assert ask.listed("images/json", reference=["busybox"], node=["nowhere"]) == []
    ids = [each["Id"] for each in ask.listed("images/json", reference=["busybox"])]
    assert len(ids) == len(set(ids))


def test_a_load_reports_each_node_on_a_row_of_its_own(ask, make_docker, engines):
    tar = (
        make_docker("28", f"tcp://{engines['old'].address}")
        .run("save", "busybox", text=False)
        .stdout
    )
    lines = ask.lines("POST", "/images/load", tar)
    assert {each["id"] for each in lines} == set(engines)
    assert all(each["status"].startswith("Loading Image...") for each in lines)


def test_a_pull_reports_its_start_and_its_end_for_each_node(ask, lab, engines):
    registry = lab.registry()
    registry.push(engines["old"], "busybox:latest", "team/tool:classic")
    image = f"{registry.address}/team/tool:classic"
    lines = ask.lines("POST", f"/images/create?fromImage={quote(image, safe='')}")
    for node in engines:
        rows = [each["status"] for each in lines if each["id"] == node]
        assert rows[0] == rows[-1] == f"Pulling {image}..."
        assert all(row.startswith(f"Pulling {image}... : ") for row in rows[1:-1])
    missing = f"{registry.address}/team/none:1"
    lines = ask.lines("POST", f"/images/create?fromImage={quote(missing, safe='')}")
    *rows, last = lines
    assert {each["id"] for each in rows} == set(engines)
    failed = [each["status"] for each in rows if each["status"] != f"Pulling {missing}..."]
    assert len(failed) == len(engines)
    assert all(text.startswith(f"Pulling {missing}... : ") for text in failed)
    assert last["error"] == last["errorDetail"]["message"]
    ask("DELETE", f"/images/{quote(image, safe='')}?force=1")
