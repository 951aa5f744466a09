"""Whether a network or a volume is empty, asked of its engine at the moment when that matters."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import trio

from swarmcore.engine import Engine
from swarmcore.errors import EngineError, EngineRefused
from swarmcore.versions import ApiVersion

_Document = Mapping[str, Any]
#: From here on disk usage can be asked of volumes alone.
_USAGE_BY_TYPE = ApiVersion(1, 42)
#: An engine of release 20.10 adds up its disk usage for one client at a time.
_BUSY = "already running"
_ASK_AGAIN_SECONDS = 0.1


class InUse(EngineError):
    """It is not empty, or its engine cannot tell."""

    status = 409


async def prove_network(engine: Engine, name: str) -> _Document:
    """The inspected network *name*, which no container is on.

    Raises:
        InUse: some container is.
        EngineError: there is none, or the engine does not tell.
    """
    network: _Document = await _get(engine, f"/networks/{quote(name, safe='')}")
    if network.get("Containers"):
        raise InUse(engine.label, f"network {name} has active endpoints")
    await _require_no_container(engine, "network", name, str(network["Id"]))
    return network


async def prove_volume(engine: Engine, name: str) -> _Document:
    """The inspected volume *name*, which no container uses and which has no file.

    Raises:
        InUse: some container does, or it has.
        EngineError: there is none, or the engine does not tell.
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
