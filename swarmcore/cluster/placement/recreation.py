"""Making a network or volume anew on another node: the proof that it is empty, and the request.

Its engine is asked for the proof right before; the create request makes an object like it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import trio

from swarmcore.container_config.references import FORMER_IDS, former_ids, has_subnet_of_engine
from swarmcore.engine import Engine
from swarmcore.errors import EngineError, EngineRefused
from swarmcore.json_values import as_object
from swarmcore.versions import ApiVersion

_Document = Mapping[str, Any]
#: Fields of an inspected network that a create takes as they are.
_KEPT = (
    "Name", "Driver", "EnableIPv4", "EnableIPv6", "Internal", "Attachable", "Options",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recreation:
    """The requests that make a network or volume anew.

    Attributes:
        create: path of the create request.
        body: of the create request.
        key: id of the old network, or name of the volume.
        path: of the old object.
        undo: path of the new object, by which it can be removed again.
    """

    create: str
    body: _Document
    key: str
    path: str
    undo: str


def recreate_network(network: _Document) -> Recreation:
    """Requests for a network like the inspected *network*, with its ids in a label.

    A subnet that its engine chose may be in use on the new node, so that engine chooses again.
    """
    ipam = dict(as_object(network.get("IPAM")))
    if has_subnet_of_engine(network):
        ipam.pop("Config", None)
    id = str(network["Id"])
    labels = {**as_object(network.get("Labels")), FORMER_IDS: ",".join((*former_ids(network), id))}
    body = {key: network[key] for key in _KEPT if network.get(key) is not None}
    body |= {"IPAM": ipam, "Labels": labels, "CheckDuplicate": True}
    return Recreation(
        create="/networks/create",
        body=body,
        key=id,
        path=f"/networks/{id}",
        undo=f"/networks/{quote(str(network['Name']), safe='')}",
    )


def recreate_volume(volume: _Document) -> Recreation:
    """Requests for a volume like the inspected *volume*."""
    name = str(volume["Name"])
    path = f"/volumes/{quote(name, safe='')}"
    body = {
        "Name": name,
        "Driver": volume.get("Driver"),
        "DriverOpts": volume.get("Options"),
        "Labels": volume.get("Labels"),
    }
    return Recreation("/volumes/create", body, key=name, path=path, undo=path)


# ---- the proof that it is empty


#: From here on disk usage can be asked of volumes alone.
_USAGE_BY_TYPE = ApiVersion(1, 42)
#: An engine of release 20.10 adds up its disk usage for one client at a time.
_BUSY = "already running"
_ASK_AGAIN_SECONDS = 0.1


class InUse(EngineError):
    """A network or volume is not empty, or its engine cannot tell."""

    status = 409


async def prove_network(engine: Engine, name: str) -> _Document:
    """The inspected network *name*, which no container is on.

    Raises:
        InUse: some container is on it.
        EngineError: there is no such network, or the engine does not answer.
    """
    network: _Document = await _get(engine, f"/networks/{quote(name, safe='')}")
    if network.get("Containers"):
        raise InUse(engine.label, f"network {name} has active endpoints")
    await _require_no_container(engine, "network", name, str(network["Id"]))
    return network


async def prove_volume(engine: Engine, name: str) -> _Document:
    """The inspected volume *name*, which no container uses and which is empty.

    Raises:
        InUse: some container uses it, or it has content.
        EngineError: there is no such volume, or the engine does not answer.
    """
    volume: _Document = await _get(engine, f"/volumes/{quote(name, safe='')}")
    await _require_no_container(engine, "volume", name)
    usage = await _usage(engine, name)
    if usage.get("RefCount") != 0 or usage.get("Size") != 0:
        raise InUse(engine.label, f"volume {name} is in use, or not empty")
    return volume


async def _require_no_container(engine: Engine, kind: str, *words: str) -> None:
    filters = quote(json.dumps({kind: words}))
    if users := await _get(engine, f"/containers/json?all=1&filters={filters}"):
        raise InUse(engine.label, f"{kind} {words[0]} is used by {users[0]['Id'][:12]}")


async def _usage(engine: Engine, name: str) -> _Document:
    only = "?type=volume" if engine.node.api_version >= _USAGE_BY_TYPE else ""
    while True:
        try:
            usage = await _get(engine, f"/system/df{only}")
        except EngineRefused as error:
            if _BUSY not in str(error):
                raise
            await trio.sleep(_ASK_AGAIN_SECONDS)
            continue
        found = [each for each in usage.get("Volumes") or () if each.get("Name") == name]
        return (found[0].get("UsageData") or {}) if found else {}


async def _get(engine: Engine, path: str) -> Any:
    """The engine's answer as JSON.

    Raises:
        EngineRefused: it is no success.
    """
    answer = await engine.call("GET", path)
    if not answer.ok:
        raise EngineRefused(engine.label, answer.status, answer.message)
    return answer.json()
