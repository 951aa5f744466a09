"""What a build asks of the scheduler, and the query that its engine gets.

Only build arguments that are instructions to the scheduler go; the rest of the query stays as it
was sent, byte for byte, whatever it means.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from swarmcore.config import ContainerConfig
from swarmcore.config.instructions import FAMILIES
from swarmcore.messages import Query

_ARGUMENTS = "buildargs"


def read_build(query: Query) -> ContainerConfig:
    """A build as placement reads it: instructions, labels, memory, CPU shares, platform.

    What is malformed is left out; the engine says so in its own words.

    Raises:
        BadRequest: a malformed reschedule policy among the instructions.
    """
    arguments = _read_object(query.get(_ARGUMENTS))
    env = [f"{name}={value or ''}" for name, value in arguments.items() if _is_instruction(name)]
    labels = _read_object(query.get("labels"))
    host_config = {"Memory": _number(query, "memory"), "CpuShares": _number(query, "cpushares")}
    return ContainerConfig.parse(
        {"Env": env, "Labels": labels, "HostConfig": host_config}, platform=query.get("platform")
    )


def asks_for_node(config: ContainerConfig) -> bool:
    """Whether a build says where it is to run."""
    return bool(config.constraints or config.affinities or config.whitelists)


def query_for_engine(text: str) -> str:
    """A build's query without the instructions.

    Args:
        text: what followed ``?``, as it was sent.
    """
    return "&".join(_without_instructions(part) for part in text.split("&"))


def _without_instructions(part: str) -> str:
    name, _, value = part.partition("=")
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
