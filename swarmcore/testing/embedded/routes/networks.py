"""Networks and volumes: list, inspect, create, remove, prune; connect and disconnect."""

from swarmcore.testing.documents.containers import endpoint
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.listing import has_labels
from swarmcore.testing.embedded.networks import ANONYMOUS, PREDEFINED
from swarmcore.versions import ApiVersion

#: From here on a prune of volumes spares those with names, unless told otherwise.
_SPARES_NAMED = ApiVersion(1, 42)

# ---- networks


async def _list(engine: Host, call: Call) -> None:
    filters = call.query.filters()
    names, ids, drivers = (filters.get(key, ()) for key in ("name", "id", "driver"))
    found = [
        {**network, "Containers": {}}
        for network in engine.state.networks.all()
        if (not names or any(name in network["Name"] for name in names))
        and (not ids or any(network["Id"].startswith(id) for id in ids))
        and (not drivers or network["Driver"] in drivers)
        and has_labels(network["Labels"], filters.get("label", ()))
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
    labels, deleted = call.query.filters().get("label", ()), []
    for network in engine.state.networks.all():
        if network["Name"] in PREDEFINED or not has_labels(network["Labels"], labels):
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
    names = call.query.filters().get("name", ())
    found = [
        volume
        for volume in engine.state.volumes.all()
        if not names or any(name in volume["Name"] for name in names)
    ]
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
    filters, state = call.query.filters(), engine.state
    named_too = call.version < _SPARES_NAMED or filters.get("all")
    deleted = [
        volume["Name"]
        for volume in state.volumes.all()
        if (named_too or ANONYMOUS in (volume["Labels"] or {}))
        and has_labels(volume["Labels"] or {}, filters.get("label", ()))
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
