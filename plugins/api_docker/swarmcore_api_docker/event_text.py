"""One event as a client of a given API version reads it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from swarmcore.versions import ApiVersion

#: From here on events have no ``status``, ``id`` and ``from``, and name their own media type.
_LEAN = ApiVersion(1, 52)
_DROPPED = frozenset({"status", "id", "from"})
#: RFC 7464 puts this before each object.
_RECORD_SEPARATOR = b"\x1e"


class Framing(NamedTuple):
    """How events are written.

    Attributes:
        content_type: the answer's.
        prefix: before each object; a newline follows each.
        lean: without the three fields that were dropped.
        classic: ``from`` names the node too, as Swarm classic had it.
    """

    content_type: bytes
    prefix: bytes
    lean: bool
    classic: bool = False


def choose_framing(version: ApiVersion, accept: str, *, classic: bool = False) -> Framing:
    """The framing for a client.

    Args:
        version: the one it speaks.
        accept: its ``Accept`` header, empty without one.
        classic: whether ``from`` names the node too.
    """
    if version < _LEAN:
        return Framing(b"application/json", b"", lean=False, classic=classic)
    named = [part.partition(";")[0].strip() for part in accept.split(",")]
    for media in named:
        if media == "application/json-seq":
            return Framing(media.encode(), _RECORD_SEPARATOR, lean=True)
        if media in ("application/jsonl", "application/x-ndjson"):
            return Framing(media.encode(), b"", lean=True)
    return Framing(b"application/jsonl", b"", lean=True)


def write_event(event: Mapping[str, Any], framing: Framing) -> bytes:
    """An event, ready for the wire.

    Args:
        event: as the core hands it: classic's additions in place, old fields filled in.
        framing: the client's.
    """
    shown = event
    if framing.lean:
        shown = {key: value for key, value in event.items() if key not in _DROPPED}
    elif framing.classic:
        named = f"{event.get('from', '')} node:{event['node']['Name']}".lstrip()
        shown = {**event, "from": named}
    text = json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
    return framing.prefix + text.encode() + b"\n"
