"""Docker's progress format: JSON lines that report pulls, loads, pushes and builds.

A client draws one row of the terminal for each ``id``.  So the ids must also name the node when
lines of several engines are merged.
"""

import json
from collections.abc import Mapping
from typing import Any

from swarmcore.printable import printable

#: A longer line (in bytes) is ignored; real lines of progress are much shorter.
_LONGEST_LINE = 1024 * 1024


class ProgressLines:
    """Splits a byte stream into JSON objects, one per line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the objects that *data* completes; lines that are not objects are ignored."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return [found for line in lines if (found := _read_object(line)) is not None]

    def end(self) -> list[dict[str, Any]]:
        """Return the object after the last newline, if there is one."""
        found, self._rest = _read_object(self._rest), b""
        return [] if found is None else [found]


def _read_object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def error_text(message: Mapping[str, Any]) -> str | None:
    """Return the error that a line of progress reports, or ``None``."""
    detail = message.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    return str(message["error"]) if message.get("error") else None


def name_node(message: Mapping[str, Any], node_name: str) -> dict[str, Any]:
    """Return a line of progress with the node's name in its ``id``, or else in its ``status``."""
    node_name = printable(node_name)
    if message.get("id"):
        return {**message, "id": f"{node_name}: {message['id']}"}
    if message.get("status"):
        return {**message, "status": f"{node_name}: {message['status']}"}
    return dict(message)


def error_line(text: str) -> dict[str, Any]:
    """Return the last line of progress for work that failed after its answer had begun."""
    return {"errorDetail": {"message": text}, "error": text}
