"""Parses engines' events and adds their node; makes the cluster's own events.  Pure."""

import json
from collections.abc import Mapping
from typing import Any

from swarmcore.json_values import UNREADABLE, as_object, as_text
from swarmcore.model import Container, Event
from swarmcore.node import Node

_NANO = 1_000_000_000


def read_event(line: bytes, node: Node) -> Event | None:
    """Parse one line of ``GET /events``.

    Adds the node as Swarm classic does, to the actor's attributes and as an object ``node``.  Adds
    ``id``, ``status`` and ``from``, which engines no longer send since API 1.52: older clients
    crash without them.

    Args:
        line: the JSON of one event, or a blank line.
        node: the engine's node.

    Returns:
        The event; ``None`` if the line has none, or is damaged.
    """
    try:
        raw = json.loads(line)
        if not isinstance(raw, dict):
            return None
        _modernise(raw)
        return _with_node(raw, node, len(line))
    except UNREADABLE:
        return None


def cluster_event(action: str, node: Node, time_nano: int) -> Event:
    """An event ``engine_connect``, ``engine_disconnect`` or ``engine_reconnect``, as in classic.

    Args:
        action: one of the three.
        node: the engine's node.
        time_nano: Unix nanoseconds.
    """
    raw: dict[str, Any] = {
        "status": action,
        "from": "swarm",
        "Type": "swarm",
        "Action": action,
        "Actor": {"ID": "", "Attributes": {}},
        "time": time_nano // _NANO,
        "timeNano": time_nano,
    }
    return _with_node(raw, node)


def move_event(copy: Container, source: str, node: Node, time_nano: int) -> Event:
    """An event ``move`` of a container that has been moved to another node.

    Args:
        copy: the container on its new node.
        source: name of the node that it has left.
        node: the new node.
        time_nano: Unix nanoseconds.
    """
    attributes = {"image": copy.image, "name": copy.name, "node.former": source}
    raw: dict[str, Any] = {
        "status": "move",
        "id": copy.id,
        "from": copy.image,
        "Type": "container",
        "Action": "move",
        "Actor": {"ID": copy.id, "Attributes": attributes},
        "time": time_nano // _NANO,
        "timeNano": time_nano,
    }
    return _with_node(raw, node)


def identity_of(event: Event) -> tuple[int, str, str, str]:
    """A key that is equal for an event and its replay."""
    return event.time_nano, event.type, event.action, event.actor_id


def _modernise(raw: dict[str, Any]) -> None:
    """Add fields that engines before 1.10 do not send; those send container and image events."""
    if not raw.get("Type") and raw.get("status"):
        raw["Type"] = "container" if raw.get("from") else "image"
        raw.setdefault("Action", raw["status"])
    if not raw.get("Actor"):
        raw["Actor"] = {"ID": raw.get("id", ""), "Attributes": {}}


def _with_node(raw: dict[str, Any], node: Node, size: int = 0) -> Event:
    actor: Mapping[str, Any] = raw["Actor"]
    attributes = {
        **as_object(actor.get("Attributes")),
        "node.name": node.name,
        "node.id": node.id,
        "node.addr": node.address,
        "node.ip": node.ip,
    }
    kind, action = as_text(raw.get("Type")), as_text(raw.get("Action"))
    actor_id = as_text(actor.get("ID"))
    raw["Actor"] = {**actor, "Attributes": attributes}
    if kind in ("container", "image"):
        raw.setdefault("status", action)
        raw.setdefault("id", actor_id)
    if kind == "container" and "image" in attributes:
        raw.setdefault("from", attributes["image"])
    raw["node"] = {"Name": node.name, "Id": node.id, "Addr": node.address, "Ip": node.ip}
    time_nano = raw.get("timeNano") or int(raw.get("time") or 0) * _NANO
    return Event(kind, action, actor_id, attributes, int(time_nano), node.id, raw, size)
