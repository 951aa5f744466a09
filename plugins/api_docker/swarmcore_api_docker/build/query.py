"""Read the query of a build for the scheduler, and make the query for the engine.  Pure.

Two things are removed from the engine's query: build arguments that are instructions to the
scheduler, and the node before the name of a network or container.  Everything else stays byte for
byte as the client sent it.
"""

import json
from typing import Any, TypeVar
from urllib.parse import quote, unquote_plus

from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.engine_body import without_prefixes
from swarmcore.container_config.scheduling_labels import FAMILIES
from swarmcore.http.messages import Query
from swarmcore.node import Node

T = TypeVar("T", dict[str, Any], list[Any])

_ARGUMENTS = "buildargs"
_NETWORK = "networkmode"


def read_build(query: Query) -> ContainerConfig:
    """Read a build for the scheduler.

    The result has the build's instructions, labels, memory, CPU shares, network and platform.
    Malformed parameters are ignored here, because the engine refuses them.

    Raises:
        BadRequest: a malformed reschedule policy among the instructions.
    """
    arguments = read_parameter(query.get(_ARGUMENTS), dict)
    env = [f"{name}={value or ''}" for name, value in arguments.items() if _is_instruction(name)]
    labels = read_parameter(query.get("labels"), dict)
    host_config = {
        "Memory": _number(query, "memory"),
        "CpuShares": _number(query, "cpushares"),
        "NetworkMode": query.get(_NETWORK),
    }
    return ContainerConfig.parse(
        {"Env": env, "Labels": labels, "HostConfig": host_config}, platform=query.get("platform")
    )


def asks_for_node(config: ContainerConfig) -> bool:
    """Return whether a build has constraints or affinities, or limits the nodes in another way."""
    return bool(config.constraints or config.affinities or config.whitelists)


def query_for_engine(text: str, node: Node) -> str:
    """Return the query of a build for its engine, without instructions to the scheduler.

    Args:
        text: the query as the client sent it.
        node: the node that builds.
    """
    return "&".join(_for_engine(part, node) for part in text.split("&"))


def _for_engine(part: str, node: Node) -> str:
    name, _, value = part.partition("=")
    if unquote_plus(name) == _NETWORK:
        mode = unquote_plus(value)
        kept = without_prefixes({"NetworkMode": mode}, node)["NetworkMode"]
        return part if kept == mode else f"{name}={quote(kept, safe='')}"
    if unquote_plus(name) != _ARGUMENTS:
        return part
    arguments = read_parameter(unquote_plus(value), dict)
    kept = {name: value for name, value in arguments.items() if not _is_instruction(name)}
    if len(kept) == len(arguments):
        return part
    return f"{name}={quote(json.dumps(kept, separators=(',', ':')), safe='')}"


def _is_instruction(name: str) -> bool:
    """Return whether a build argument is an instruction to the scheduler.

    ``--build-arg constraint:node==n1`` is the argument ``constraint:node`` with the value ``=n1``.
    """
    family, colon, _ = name.partition(":")
    return bool(colon) and family in FAMILIES


def read_parameter(text: str, kind: type[T]) -> T:
    """Parse the JSON of a parameter.

    Args:
        text: the value of the parameter; empty if it is not given.
        kind: the expected type, ``dict`` or ``list``.

    Returns:
        The value; an empty *kind* if *text* is not JSON of that type.
    """
    try:
        read = json.loads(text) if text else None
    except (ValueError, RecursionError):
        read = None
    return read if isinstance(read, kind) else kind()


def _number(query: Query, name: str) -> int:
    text = query.get(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
