"""Routes of containers as objects: create, list, inspect, rename, update, remove."""

from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.list_filters import parse_filters
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.listing import listed_containers
from swarmcore.testing.embedded.structs import read_texts

_ROOT_BYTES = 1_985_575


async def _create(engine: Host, call: Call) -> None:
    body = await call.read_json()
    if body is None:
        raise BadRequest("invalid JSON: got EOF while reading request body")
    if not isinstance(body, dict):
        raise BadRequest("invalid JSON: cannot unmarshal into a container config")
    # The manager leaves the types of labels to engines, and indexes the labels that they list.
    body = {**body, "Labels": read_texts(body.get("Labels"), "CreateRequest.Labels")}
    record = engine.state.create_container(body, call.query.get("name"))
    await call.send_json({"Id": record.id, "Warnings": []}, 201)


async def _list(engine: Host, call: Call) -> None:
    now, size = engine.state.clock(), call.query.flag("size")
    found = []
    for record in listed_containers(engine.state, call.query):
        summary = record.summary(now)
        found.append({**summary, "SizeRootFs": _ROOT_BYTES} if size else summary)
    await call.send_json(found)


async def _inspect(engine: Host, call: Call) -> None:
    detail = engine.state.find_container(call.params["name"]).detail()
    if call.query.flag("size"):
        detail |= {"SizeRw": 0, "SizeRootFs": _ROOT_BYTES}
    await call.send_json(detail)


async def _rename(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    engine.state.rename_container(record, call.query.get("name"))
    await call.send_empty()


async def _update(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    body: dict[str, Any] = await call.read_json() or {}
    record.host_config |= {key: value for key, value in body.items() if value}
    engine.state.tell(record, "update")
    await call.send_json({"Warnings": None})


async def _remove(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    engine.runtime.remove(record, force=call.query.flag("force"), volumes=call.query.flag("v"))
    await call.send_empty()


async def _prune(engine: Host, call: Call) -> None:
    labelled = parse_filters(call.query.get("filters")).labelled("label")
    stopped = (each for each in engine.state.newest_first() if not each.alive)
    gone = [each for each in stopped if labelled(each.config["Labels"])]
    for record in gone:
        engine.runtime.remove(record, force=False)
    await call.send_json({"ContainersDeleted": [each.id for each in gone], "SpaceReclaimed": 0})


ROUTES = routes(
    {
        "POST /containers/create": _create,
        "POST /containers/prune": _prune,
        "GET /containers/json": _list,
        "GET /containers/{name}/json": _inspect,
        "POST /containers/{name}/rename": _rename,
        "POST /containers/{name}/update": _update,
        "DELETE /containers/{name}": _remove,
    }
)
