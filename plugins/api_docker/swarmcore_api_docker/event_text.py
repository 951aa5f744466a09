"""One event as a client of a given API version reads it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from swarmcore.node import Node
from swarmcore.versions import ApiVersion

#: From here on events have no ``status``, ``id`` and ``from``, and name their own media type.
_LEAN = ApiVersion(1, 52)
#: RFC 7464 puts this before each object.
_RECORD_SEPARATOR = b"\x1e"


class Framing(NamedTuple):
    """How events are written.

    Attributes:
        content_type: the answer's.
        prefix: before each object; a newline follows each.
        lean: without the three fields that were dropped.
    """

    content_type: bytes
    prefix: bytes
    lean: bool


def choose_framing(version: ApiVersion, accept: str) -> Framing:
    """The framing for a client.

    Args:
        version: the one it speaks.
        accept: its ``Accept`` header, empty without one.
    """
    if version < _LEAN:
        return Framing(b"application/json", b"", lean=False)
    named = [part.partition(";")[0].strip() for part in accept.split(",")]
    for media in named:
        if media == "application/json-seq":
            return Framing(media.encode(), _RECORD_SEPARATOR, lean=True)
        if media in ("application/jsonl", "application/x-ndjson"):
            return Framing(media.encode(), b"", lean=True)
    return Framing(b"application/jsonl", b"", lean=True)


def with_node(event: Mapping[str, Any], node: Node) -> dict[str, Any]:
    """An engine's own event with the node among its actor's attributes, as on the bus."""
    actor = event.get("Actor") or {}
    attributes = {
        **(actor.get("Attributes") or {}),
        "node.name": node.name,
        "node.id": node.id,
        "node.addr": node.address,
        "node.ip": node.ip,
    }
    return {**event, "Actor": {**actor, "Attributes": attributes}}


def write_event(event: Mapping[str, Any], framing: Framing) -> bytes:
    """An event with node attributes, ready for the wire.

    Below 1.52 the fields ``status``, ``id`` and ``from`` are filled in where the engine left them
    out: older clients crash without them.  ``from`` and ``node`` are classic's.
    """
    shown = dict(event)
    actor = shown.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    node_name = attributes.get("node.name", "")
    if framing.lean:
        for key in ("status", "id", "from"):
            shown.pop(key, None)
    else:
        if shown.get("Type") in ("container", "image"):
            shown.setdefault("status", shown.get("Action", ""))
            shown.setdefault("id", actor.get("ID", ""))
        if shown.get("Type") == "container":
            shown.setdefault("from", attributes.get("image", ""))
        if node_name and "from" in shown:
            shown["from"] = f"{shown['from'].partition(' node:')[0]} node:{node_name}"
    if node_name:
        shown["node"] = {
            "Name": node_name,
            "Id": attributes.get("node.id", ""),
            "Addr": attributes.get("node.addr", ""),
            "Ip": attributes.get("node.ip", ""),
        }
    text = json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
    return framing.prefix + text.encode() + b"\n"
