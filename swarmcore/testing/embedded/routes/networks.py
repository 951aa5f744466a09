"""Routes of networks and volumes: list, inspect, create, remove, prune; connect and disconnect."""

from swarmcore.list_filters import parse_filters
from swarmcore.testing.documents.containers import endpoint
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.networks import ANONYMOUS, PREDEFINED
from swarmcore.versions import ApiVersion

#: From this version on, a prune of volumes keeps those with names, unless ``all`` is set.
_SPARES_NAMED = ApiVersion(1, 42)

# ---- networks


async def _list(engine: Host, call: Call) -> None:
    filters = parse_filters(call.query.get("filters"))
    named, identified, driven = (
        filters.matching("name"),
        filters.beginning("id"),
        filters.equal("driver"),
    )
    labelled = filters.labelled("label")
    found = [
        {**network, "Containers": {}}
        for network in engine.state.networks.all()
        if named(network["Name"])
        and identified(network["Id"])
        and driven(network["Driver"])
        and labelled(network["Labels"])
    ]
    await call.send_json(found)


async def _inspect(engine: Host, call: Call) -> None:
    await call.send_json(engine.state.networks.find(call.params["name"]))


async def _create(engine: Host, call: Call) -> None:
    network = engine.state.networks.create(await call.read_json() or {})
    told = {"name": network["Name"], "type": network["Driver"]}
    engine.state.events.emit("network", "create", network["Id"], told)
    await call.send_json({"Id": network["Id"], "Warning": ""}, 201)


async def _remove(engine: Host, call: Call) -> None:
    network = engine.state.networks.remove(call.params["name"])
    told = {"name": network["Name"], "type": network["Driver"]}
    engine.state.events.emit("network", "destroy", network["Id"], told)
    await call.send_empty()


async def _connect(engine: Host, call: Call) -> None:
    state, body = engine.state, await call.read_json() or {}
    network = state.networks.find(call.params["name"])
    record = state.find_container(str(body.get("Container") or ""))
    ip, gateway = state.networks.give_address(network) if record.alive else ("", "")
    record.networks[network["Name"]] = endpoint(network["Id"], state.new_id(), ip, gateway)
    told = {"container": record.id, "name": network["Name"], "type": network["Driver"]}
    state.events.emit("network", "connect", network["Id"], told)
    await call.send_empty(200)


async def _disconnect(engine: Host, call: Call) -> None:
    state, body = engine.state, await call.read_json() or {}
    network = state.networks.find(call.params["name"])
    record = state.find_container(str(body.get("Container") or ""))
    record.networks.pop(network["Name"], None)
    told = {"container": record.id, "name": network["Name"], "type": network["Driver"]}
    state.events.emit("network", "disconnect", network["Id"], told)
    await call.send_empty(200)


async def _prune(engine: Host, call: Call) -> None:
    labelled = parse_filters(call.query.get("filters")).labelled("label")
    deleted = []
    for network in engine.state.networks.all():
        if network["Name"] in PREDEFINED or not labelled(network["Labels"]):
            continue
        if not _is_used(engine, network["Id"]):
            engine.state.networks.remove(network["Id"])
            deleted.append(network["Name"])
    await call.send_json({"NetworksDeleted": deleted})


def _is_used(engine: Host, id: str) -> bool:
    return any(
        point.get("NetworkID") == id
        for record in engine.state.containers.values()
        if record.alive
        for point in record.networks.values()
    )


# ---- volumes


async def _list_volumes(engine: Host, call: Call) -> None:
    named = parse_filters(call.query.get("filters")).matching("name")
    found = [volume for volume in engine.state.volumes.all() if named(volume["Name"])]
    await call.send_json({"Volumes": found, "Warnings": None})


async def _inspect_volume(engine: Host, call: Call) -> None:
    await call.send_json(engine.state.volumes.find(call.params["name"]))


async def _create_volume(engine: Host, call: Call) -> None:
    volume, new = engine.state.volumes.create(await call.read_json() or {})
    if new:
        engine.state.events.emit("volume", "create", volume["Name"], {"driver": volume["Driver"]})
    await call.send_json(volume, 201)


async def _remove_volume(engine: Host, call: Call) -> None:
    name = call.params["name"]
    engine.state.volumes.remove(name, engine.state.users_of_volume(name))
    engine.state.events.emit("volume", "destroy", name, {"driver": "local"})
    await call.send_empty()


async def _prune_volumes(engine: Host, call: Call) -> None:
    filters, state = parse_filters(call.query.get("filters")), engine.state
    named_too = filters.flag("all", default=call.version < _SPARES_NAMED)
    labelled = filters.labelled("label")
    deleted = [
        volume["Name"]
        for volume in state.volumes.all()
        if (named_too or ANONYMOUS in (volume["Labels"] or {}))
        and labelled(volume["Labels"] or {})
        and not state.users_of_volume(volume["Name"])
    ]
    for name in deleted:
        state.volumes.remove(name, [])
    await call.send_json({"VolumesDeleted": deleted, "SpaceReclaimed": 0})


ROUTES = routes(
    {
        "GET /networks": _list,
        "POST /networks/create": _create,
        "POST /networks/prune": _prune,
        "GET /networks/{name}": _inspect,
        "DELETE /networks/{name}": _remove,
        "POST /networks/{name}/connect": _connect,
        "POST /networks/{name}/disconnect": _disconnect,
        "GET /volumes": _list_volumes,
        "POST /volumes/create": _create_volume,
        "POST /volumes/prune": _prune_volumes,
        "GET /volumes/{name}": _inspect_volume,
        "DELETE /volumes/{name}": _remove_volume,
    }
)
