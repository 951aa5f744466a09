"""Recreating an unused network or volume on another node: checks and requests.

The object's engine is asked just before whether the object is unused and empty.
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
from swarmcore.json_values import as_object, reading_answer
from swarmcore.versions import ApiVersion

_Document = Mapping[str, Any]
#: Fields of an inspected network that are copied to the create request.
_KEPT = (
    "Name", "Driver", "EnableIPv4", "EnableIPv6", "Internal", "Attachable", "Options",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recreation:
    """The requests that recreate a network or a volume.

    Attributes:
        create: path of the create request.
        body: body of the create request.
        key: id of the old network, or name of the volume.
        path: path of the old object.
        undo: path of the new object, for removing it again.
    """

    create: str
    body: _Document
    key: str
    path: str
    undo: str


def recreate_network(network: _Document) -> Recreation:
    """Requests to recreate an inspected network; the new one has the former ids in a label.

    A subnet that the engine chose itself is not copied: it may be in use on the new node, whose
    engine chooses another.
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
    """Requests to recreate an inspected volume."""
    name = str(volume["Name"])
    path = f"/volumes/{quote(name, safe='')}"
    body = {
        "Name": name,
        "Driver": volume.get("Driver"),
        "DriverOpts": volume.get("Options"),
        "Labels": volume.get("Labels"),
    }
    return Recreation("/volumes/create", body, key=name, path=path, undo=path)


# ---- checks that an object is unused


#: Since this version, disk usage can be requested for volumes only.
_USAGE_BY_TYPE = ApiVersion(1, 42)
#: Engines of release 20.10 refuse concurrent disk usage requests.
_BUSY = "already running"
_ASK_AGAIN_SECONDS = 0.1


class InUse(EngineError):
    """A network or volume is in use or not empty, or its engine cannot tell."""

    status = 409


async def prove_network(engine: Engine, name: str) -> _Document:
    """Inspect network *name* and check that no container uses it.

    Returns:
        The inspected network.

    Raises:
        InUse: a container uses it.
        EngineError: there is no such network, or the engine does not answer.
    """
    network: _Document = await _get(engine, f"/networks/{quote(name, safe='')}")
    if network.get("Containers"):
        raise InUse(engine.label, f"network {name} has active endpoints")
    await _require_no_container(engine, "network", name, str(network["Id"]))
    return network


async def prove_volume(engine: Engine, name: str) -> _Document:
    """Inspect volume *name* and check that no container uses it and that it is empty.

    Returns:
        The inspected volume.

    Raises:
        InUse: a container uses it, or it has content.
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
        with reading_answer(engine.label, "GET /containers/json"):
            user = str(users[0]["Id"])[:12]
        raise InUse(engine.label, f"{kind} {words[0]} is used by {user}")


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
        with reading_answer(engine.label, "GET /system/df"):
            found = [each for each in usage.get("Volumes") or () if each.get("Name") == name]
            return (found[0].get("UsageData") or {}) if found else {}


async def _get(engine: Engine, path: str) -> Any:
    """Get *path* from the engine as JSON.

    Raises:
        EngineRefused: the engine answered with an error.
        EngineUnreachable: the engine does not answer.
        EngineError: the answer is not JSON.
    """
    answer = await engine.call("GET", path)
    if not answer.ok:
        raise EngineRefused(engine.label, answer.status, answer.message)
    with reading_answer(engine.label, f"GET {path.partition('?')[0]}"):
        return answer.json()
