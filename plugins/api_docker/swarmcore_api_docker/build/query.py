"""What a build asks of the scheduler, and the query that its engine gets.

Only build arguments that are instructions to the scheduler go, and a node before a network's or a
container's name; the rest of the query stays as it was sent, byte for byte, whatever it means.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus
from swarmcore.config import ContainerConfig
from swarmcore.config.instructions import FAMILIES
from swarmcore.config.prefixes import without_prefixes
from swarmcore.http.messages import Query
from swarmcore.node import Node


_ARGUMENTS = "buildargs"
_NETWORK = "networkmode"


def read_build(query: Query) -> ContainerConfig:
    """A build as placement reads it: instructions, labels, memory, CPU shares, network, platform.

    What is malformed is left out; the engine says so in its own words.

    Raises:
        BadRequest: a malformed reschedule policy among the instructions.
    """
    arguments = _read_object(query.get(_ARGUMENTS))
    env = [f"{name}={value or ''}" for name, value in arguments.items() if _is_instruction(name)]
    labels = _read_object(query.get("labels"))
    host_config = {
        "Memory": _number(query, "memory"),
        "CpuShares": _number(query, "cpushares"),
        "NetworkMode": query.get(_NETWORK),
    }
    return ContainerConfig.parse(
        {"Env": env, "Labels": labels, "HostConfig": host_config}, platform=query.get("platform")
    )


def asks_for_node(config: ContainerConfig) -> bool:
    """Whether a build says where it is to run."""
    return bool(config.constraints or config.affinities or config.whitelists)


def query_for_engine(text: str, node: Node) -> str:
    """A build's query as its engine understands it, without the instructions.

    Args:
        text: what followed ``?``, as it was sent.
        node: where it is built.
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
    arguments = _read_object(unquote_plus(value))
    kept = {name: value for name, value in arguments.items() if not _is_instruction(name)}
    if len(kept) == len(arguments):
        return part
    return f"{name}={quote(json.dumps(kept, separators=(',', ':')), safe='')}"


def _is_instruction(name: str) -> bool:
    """``--build-arg constraint:node==n1`` is the argument ``constraint:node`` of value ``=n1``."""
    family, colon, _ = name.partition(":")
    return bool(colon) and family in FAMILIES


def _read_object(text: str) -> Mapping[str, Any]:
    try:
        read = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, Mapping) else {}


def _number(query: Query, name: str) -> int:
    text = query.get(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
