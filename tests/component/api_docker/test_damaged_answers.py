"""Engines whose answers are not JSON, or not what Docker answers."""

from contextlib import suppress

import pytest

from swarmcore.errors import EngineError
from swarmcore.model import State

#: Answers that are cut off, of a proxy, or of the wrong shape.
DAMAGED = [
    b"", b"<html>502 Bad Gateway</html>", b'{"Id": "a', b"\xff\xfe", b"[" * 100_000, None, 7,
    "text", {"Type": [], "Action": {}, "Actor": {"ID": 7}}, [{"Id": "a", "RepoTags": 7}],
    [{"Id": "a", "Labels": "x", "Name": [], "Containers": 7}],
    [], {}, [7], [None], [{}], [[]], {"Id": 7}, {"message": 7}, [{"Id": None}], [{"Id": "a"}],
    {"Volumes": [7]}, {"Images": 7}, {"ContainersDeleted": 7}, {"NetworksDeleted": 7},
    {"SpaceReclaimed": "much"}, {"NetworkSettings": {"Ports": {"80/tcp": 7}}}, {"Containers": 7},
]  # fmt: skip

#: Requests, and the requests to engines whose answers are damaged.
REQUESTS = [
    ("GET", "/containers/json?size=1&all=1", None, "/containers/json"),
    ("POST", "/containers/create?name=new", {"Image": "busybox"}, "/containers/create"),
    ("POST", "/containers/create?name=new", {"Image": "busybox"}, "/containers/json"),
    ("POST", "/containers/create?name=new", {"Image": "busybox"}, "/containers/*/json"),
    (
        "POST",
        "/containers/create?name=new",
        {
            "Image": "busybox",
            "NetworkingConfig": {"EndpointsConfig": {"net": {}, "bridge": {}}},
            "HostConfig": {"Binds": ["data:/d"]},
        },
        "/*",
    ),
    ("GET", "/containers/web/json", None, "/containers/*/json"),
    ("GET", "/containers/web/top", None, "/containers/*/top"),
    ("GET", "/containers/web/stats?stream=0", None, "/containers/*/stats"),
    ("GET", "/containers/web/changes", None, "/containers/*/changes"),
    ("POST", "/containers/web/exec", {"Cmd": ["true"]}, "/containers/*/exec"),
    ("POST", "/containers/web/update", {"Memory": 1 << 20}, "/containers/*"),
    ("POST", "/containers/web/rename?name=web", None, "/containers/*"),
    ("POST", "/containers/web/restart?t=0", None, "/containers/*json"),
    ("GET", "/exec/ghost/json", None, "/exec/*"),
    ("POST", "/containers/prune", None, "/containers/prune"),
    ("GET", "/images/json?shared-size=1", None, "/images/json"),
    ("GET", "/images/busybox/json", None, "/images/*/json"),
    ("GET", "/images/busybox/history", None, "/images/*/history"),
    ("POST", "/images/busybox/tag?repo=b&tag=2", None, "/images/*"),
    ("DELETE", "/images/ghost", None, "/images/*"),
    ("DELETE", "/images/busybox?noprune=1", None, "/images/*"),
    ("POST", "/images/create?fromImage=pullable", None, "/images/*"),
    ("POST", "/images/prune", None, "/images/*"),
    ("GET", "/networks", None, "/networks"),
    ("GET", "/networks/net", None, "/networks/*"),
    ("POST", "/networks/create", {"Name": "new"}, "/networks*"),
    ("POST", "/networks/net/connect", {"Container": "web"}, "/*/json"),
    ("POST", "/networks/prune", None, "/networks*"),
    ("GET", "/volumes/data", None, "/volumes/*"),
    ("POST", "/volumes/create", {"Name": "new"}, "/volumes*"),
    ("POST", "/volumes/prune", None, "/volumes*"),
    ("GET", "/system/df", None, "/system/df"),
    ("POST", "/auth", {"username": "u", "password": "p"}, "/auth"),
    ("GET", "/images/search?term=x", None, "/images/search"),
    ("GET", "/distribution/busybox/json", None, "/distribution/*"),
]


@pytest.mark.parametrize(("method", "path", "body", "damaged"), REQUESTS)
async def test_a_damaged_answer_is_the_engines_fault_in_words(
    manager, n1, n2, caplog, method, path, body, damaged
):
    for engine in (n1, n2):
        engine.allow_pull("pullable")
        engine.add_image("busybox")
    await manager.create("web", "n1")
    await manager.json("POST", "/networks/create", {"Name": "n1/net"})
    await manager.json("POST", "/volumes/create", {"Name": "n1/data"})
    for answer in DAMAGED:
        for engine in (n1, n2):
            engine.lie(damaged, lambda _, answer=answer: answer)
        told = await manager(method, path, body)
        assert b"manager's log" not in told.body, answer
        assert b"internal error" not in told.body, answer
        for engine in (n1, n2):
            engine.behave()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


CACHED = [
    "/version", "/info", "/containers/json", "/images/json", "/networks", "/volumes",
    "/containers/*/json", "/events",
]  # fmt: skip


@pytest.mark.parametrize("damaged", CACHED)
async def test_the_cache_survives_damaged_answers(manager, n1, caplog, damaged):
    await manager.create("web", "n1")
    (node,) = (node for node in manager.cluster.nodes() if node.name == "n1")
    engine = manager.cluster.engine(node.id)
    for answer in DAMAGED:
        n1.lie(damaged, lambda _, answer=answer: answer)
        n1.emit("container", "exec_start: x", n1.container("web").id)
        for read in (
            engine.refresh_specs, engine.refresh_containers, engine.refresh_images,
            engine.refresh_networks, engine.refresh_volumes,
        ):  # fmt: skip
            with suppress(EngineError):
                await read()
        n1.behave()
    await manager.wait_until(lambda: node.state is State.HEALTHY)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"<html>", "not JSON (Expecting value: line 1 column 1 (char 0))"),
        ([], "unexpected fields ("),
    ],
)
async def test_the_text_names_the_engine_the_request_and_the_reason(manager, n1, answer, why):
    await manager.create("web", "n1")
    n1.lie("/containers/*/json", lambda _: answer)
    told = await manager("GET", "/containers/web/json")
    assert told.status == 500
    assert told.message.startswith("engine n1 sent a damaged answer to GET /containers/web/json: ")
    assert why in told.message
