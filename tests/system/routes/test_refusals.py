"""Bad requests get the status and text of the engine itself, for three releases.

Every object of the table is on one engine; it and its manager get the same requests.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.docker

PAGE = Path(__file__).parents[3] / "docs" / "api.md"

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
TAR = {"Content-Type": "application/x-tar"}
NOBODY = {"X-Registry-Auth": "e30="}


#: Labels that send a create to the engine of the stage.
HERE = {"com.docker.swarm.constraints": '["node=={node}"]'}

#: Why an answer is not the engine's own.
READS = "the manager reads the body itself and reports what it cannot read"
LISTS = "the manager filters its own lists, with the error texts of the newest release"
JOINS = "every engine is asked, and the text has the names of those that failed"
FINDS = "the manager looks up the object, and asks no engine if there is none"
ANY = "an object that no engine has is refused by any engine, with the text of its release"
IGNORES = "engines now ignore this parameter, which classic supported"


class Bad(NamedTuple):
    """A request that an engine refuses.

    Attributes:
        does: method and path, with objects in braces; see ``stage``.
        body: JSON, or bytes.
        headers: the headers of the request.
        why: the reason why status or text differ from the engine's; empty if they are equal.
    """

    does: str
    body: Any = None
    headers: dict[str, str] | None = None
    why: str = ""


def create(query: str = "", **config: Any) -> Bad:
    """Return a create that is invalid on every engine, for the engine of the stage."""
    return Bad(f"POST /containers/create{query}", {"Image": "busybox", "Labels": HERE, **config})


def filters(**values: list[str]) -> str:
    return "filters=" + quote(json.dumps(values))


BODIES = [
    Bad(f"POST {path}", body, headers, why)
    for why, paths in (
        ("", ("/containers/{web}/exec", "/containers/{web}/update")),
        (ANY, (
            "/containers/ghost/exec", "/containers/ghost/update", "/commit?container=ghost",
            "/exec/ghost/start",
        )),
        (READS, (
            "/containers/create", "/networks/create", "/networks/{net}/connect", "/volumes/create",
        )),
    )
    for path in paths
    for body, headers in ((b"{}", TEXT), (b"{", JSON), (b"[]", JSON))
]  # fmt: skip

CREATES = [
    Bad("POST /containers/create", b"", None, READS),
    create(Image="ghost"),
    create(Image="BAD"),
    create("?name=-x"),
    create("?name={web}"),
    create(Env=["=x"]),
    create(WorkingDir="relative"),
    create(Healthcheck={"Interval": 1}),
    create(HostConfig={"Memory": 1}),
    create(HostConfig={"Memory": "x"}),
    create(HostConfig={"Binds": ["a:b:c:d"]}),
    create(HostConfig={"PortBindings": {"x/tcp": [{}]}}),
    create(HostConfig={"RestartPolicy": {"Name": "often"}}),
    create(HostConfig={"CapAdd": ["NOPE"]}),
    create(HostConfig={"Runtime": "ghost"}),
]

MISSING = [
    *(Bad(verb.replace(" ", " /containers/ghost")) for verb in (
        "GET /json", "GET /top", "GET /logs?stdout=1", "GET /changes", "GET /export", "GET /stats",
        "GET /archive?path=/", "HEAD /archive?path=/", "PUT /archive?path=/", "POST /start",
        "POST /stop", "POST /restart", "POST /pause", "POST /unpause", "POST /wait",
        "POST /resize?h=1&w=1", "POST /rename?name=new", "POST /attach?stream=1", "DELETE ",
    )),
    Bad("POST /containers/ghost/kill", why=FINDS),
    Bad("POST /containers/ghost/exec", {"Cmd": ["true"]}),
    Bad("POST /containers/ghost/update", {"PidsLimit": 1}),
    Bad("POST /commit?container=ghost"),
    Bad("POST /exec/ghost/start", {}),
    Bad("POST /exec/ghost/resize?h=1&w=1"),
    Bad("GET /exec/ghost/json"),
    Bad("GET /images/ghost/json", why=FINDS),
    Bad("GET /images/ghost/history"),
    Bad("GET /images/ghost/get", why=FINDS),
    Bad("GET /images/get?names=ghost", why=FINDS),
    Bad("POST /images/ghost/push?tag=1", None, NOBODY),
    Bad("POST /images/ghost/push", None, NOBODY),
    Bad("POST /images/{img}/push?tag=-x", None, NOBODY, ANY),
    *(Bad(f"{verb} /images/BAD{rest}", why=ANY) for verb, rest in (
        ("GET", "/json"), ("GET", "/history"), ("POST", "/tag?repo=x"), ("DELETE", ""),
    )),
    Bad("POST /images/ghost/tag?repo=x"),
    Bad("DELETE /images/ghost"),
    Bad("GET /networks/ghost"),
    Bad("DELETE /networks/ghost"),
    Bad("POST /networks/ghost/connect", {"Container": "{web}"}),
    Bad("POST /networks/{net}/connect", {"Container": "ghost"}),
    Bad("POST /networks/{net}/disconnect", {"Container": "ghost"}),
    Bad("GET /volumes/ghost"),
    Bad("DELETE /volumes/ghost"),
    Bad("GET /plugins/ghost/json"),
    Bad("GET /containers/json?before=ghost", why=IGNORES),
    Bad("GET /nowhere"),
    Bad("PATCH /containers/json"),
    Bad("HEAD /containers/json"),
    Bad("OPTIONS /containers/json"),
    Bad("OPTIONS /nowhere"),
]  # fmt: skip

STATES = [
    Bad("POST /containers/{web}/start"),
    Bad("POST /containers/{done}/stop"),
    Bad("POST /containers/{done}/kill"),
    Bad("POST /containers/{web}/kill?signal=NOPE"),
    Bad("POST /containers/{done}/pause"),
    Bad("POST /containers/{frozen}/pause"),
    Bad("POST /containers/{web}/unpause"),
    Bad("GET /containers/{done}/top"),
    Bad("GET /containers/{web}/logs"),
    Bad("GET /containers/{web}/archive"),
    Bad("GET /containers/{web}/archive?path=/ghost"),
    Bad("PUT /containers/{web}/archive?path=/ghost", b"", TAR),
    Bad("POST /containers/{done}/resize?h=1&w=1"),
    Bad("POST /containers/{web}/resize?h=x&w=1"),
    Bad("POST /containers/{frozen}/attach?stream=1"),
    Bad("POST /containers/{done}/exec", {"Cmd": ["true"]}),
    Bad("POST /containers/{frozen}/exec", {"Cmd": ["true"]}),
    Bad("POST /containers/{web}/exec", {}),
    Bad("POST /containers/{web}/update", {"Memory": 1}),
    Bad("POST /containers/{done}/rename"),
    Bad("POST /containers/{done}/rename?name=-x"),
    Bad("POST /containers/{done}/rename?name={web}"),
    Bad("DELETE /containers/{web}"),
    Bad("DELETE /containers/{frozen}"),
    Bad("DELETE /images/{img}"),
    Bad("POST /images/{img}/tag?repo=BAD"),
    Bad("POST /networks/create", {"Name": "{net}", "CheckDuplicate": True}),
    Bad("POST /networks/create", {"Name": "", "Labels": HERE, "CheckDuplicate": True}),
    Bad(
        "POST /networks/create",
        {"Name": "fresh", "Labels": HERE, "IPAM": {"Config": [{"Subnet": "x"}]}},
    ),
    Bad("DELETE /networks/bridge"),
    Bad("DELETE /networks/{net}"),
    Bad("POST /networks/{net}/connect", {"Container": "{web}"}),
    Bad("POST /networks/bridge/disconnect", {"Container": "{web}"}),
    Bad("DELETE /volumes/{vol}"),
    Bad("POST /volumes/create", {"Name": "a b", "Labels": HERE}),
    Bad("POST /containers/ghost/resize?h=x&w=1", why=ANY),
]

QUERIES = [
    *(Bad(f"{path}?{query}", why=why) for why, query, paths in (
        (LISTS, "filters={{", (
            "GET /containers/json", "GET /images/json", "GET /networks", "GET /volumes",
            "POST /containers/prune", "POST /images/prune", "POST /networks/prune",
            "POST /volumes/prune", "GET /events",
        )),
        (LISTS, filters(nope=["x"]), (
            "GET /containers/json", "GET /images/json", "GET /networks", "GET /volumes",
        )),
        (JOINS, filters(nope=["x"]), (
            "POST /containers/prune", "POST /images/prune", "POST /networks/prune",
            "POST /volumes/prune",
        )),
    ) for path in paths),
    Bad(f"GET /containers/json?{filters(status=['odd'])}", why=LISTS),
    Bad(f"GET /containers/json?{filters(exited=['odd'])}", why=LISTS),
    Bad("GET /containers/json?limit=odd"),
    Bad(f"GET /images/json?{filters(dangling=['odd'])}", why=LISTS),
    Bad(f"GET /networks?{filters(dangling=['odd'])}"),
    Bad("GET /events?since=odd"),
    Bad("GET /events?since=2&until=1"),
    Bad(f"GET /events?until=0&{filters(event=['none'])}"),
    Bad("POST /images/create", why=JOINS),
    Bad("POST /images/create?fromImage=BAD", why=JOINS),
    Bad("POST /build", b"garbage", TAR),
    Bad("POST /commit?container={web}&repo=BAD"),
    Bad("POST /auth", b"{", JSON),
]  # fmt: skip

TABLE = [*BODIES, *CREATES, *MISSING, *STATES, *QUERIES]


class Stage(NamedTuple):
    """Objects on one engine, by their names in the table."""

    engine: str
    names: dict[str, str]
    ids: dict[str, str]


@pytest.fixture(scope="module", params=["old", "middle", "new"])
def stage(request: pytest.FixtureRequest, shared_fleet: Any) -> Iterator[Stage]:
    """A running, a paused and an ended container, and a network and a volume of the first one."""
    node, docker = request.param, shared_fleet.docker("20.10")
    names = {key: f"{node}-{key}" for key in ("web", "frozen", "done", "net", "vol", "img")}
    names["node"] = node
    docker("network", "create", f"{node}/{names['net']}")
    on = ["-e", f"constraint:node=={node}"]
    docker("run", "-d", "--init", "--name", names["web"], *on, "--network", names["net"],
           "-v", f"{names['vol']}:/data", "busybox", "sleep", "1000")  # fmt: skip
    docker("run", "--name", names["done"], *on, "busybox", "true")
    docker("commit", names["done"], names["img"])
    docker("run", "-d", "--init", "--name", names["frozen"], *on, names["img"], "sleep", "1000")
    docker("pause", names["frozen"])
    containers = [names[key] for key in ("web", "frozen", "done")]
    rows = docker("ps", "-a", "--no-trunc", "--format", "{{.Names}} {{.ID}}").splitlines()
    ids = {name: id for name, id in map(str.split, rows) if name in containers}
    yield Stage(shared_fleet.engines[node].address, names, ids)
    docker("rm", "-fv", *containers)
    docker("network", "rm", names["net"])
    docker("volume", "rm", names["vol"])
    docker("rmi", names["img"])


def told(stage: Stage, bad: Bad, ask: Any, address: str) -> tuple[int, str]:
    """Return status and text, with names instead of ids of containers."""
    method, path = bad.does.split(" ", 1)
    body = bad.body
    if isinstance(body, dict):
        text = re.sub(r"\{(web|net|done|node)\}", lambda key: stage.names[key[1]], json.dumps(body))
        body = json.loads(text)
    reply = ask(address, method, f"/v1.41{path.format_map(stage.names)}", body, bad.headers)
    text = reply.message if reply.status >= 400 and reply.body else reply.body.decode()
    for name, id in stage.ids.items():
        text = text.replace(id, name).replace(id[:12], name)
    return reply.status, text


def named(bad: Bad) -> str:
    """Return the request in one line."""
    body = "" if not bad.body else f" {bad.body!r}"
    return f"{bad.does}{body}{' as text' if bad.headers is TEXT else ''}"


@pytest.mark.parametrize("bad", TABLE, ids=named)
def test_a_bad_request_is_refused_as_by_the_engine(stage, shared_fleet, bad, raw_ask):
    here = told(stage, bad, raw_ask, f"127.0.0.1:{shared_fleet.manager.port}")
    if bad.why:
        assert 400 <= here[0] < 500, here
        assert f"- {bad.why[0].upper()}{bad.why[1:]}." in PAGE.read_text()
        return
    assert here == told(stage, bad, raw_ask, stage.engine)
