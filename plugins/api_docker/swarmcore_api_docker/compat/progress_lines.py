"""Docker's progress: JSON lines by which engines report pulls, loads, pushes and builds.

A client draws one row of the terminal for each ``id``, so the lines of several engines need ids
that name the engine too.
"""

import json
from collections.abc import Mapping
from typing import Any

#: No line of progress comes near this size; what is longer without a newline is ignored.
_LONGEST_LINE = 1024 * 1024


class ProgressLines:
    """Cuts a byte stream into JSON objects, one per line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The objects that *data* completes; lines that are not objects are ignored."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return [found for line in lines if (found := _read_object(line)) is not None]

    def end(self) -> list[dict[str, Any]]:
        """The object after the last newline, if there is one."""
        found, self._rest = _read_object(self._rest), b""
        return [] if found is None else [found]


def _read_object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def error_text(message: Mapping[str, Any]) -> str | None:
    """The error that a line of progress reports, or ``None``."""
    detail = message.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    return str(message["error"]) if message.get("error") else None


def name_node(message: Mapping[str, Any], node_name: str) -> dict[str, Any]:
    """A line of progress that names the node: in its ``id``, or in its ``status`` without one."""
    if message.get("id"):
        return {**message, "id": f"{node_name}: {message['id']}"}
    if message.get("status"):
        return {**message, "status": f"{node_name}: {message['status']}"}
    return dict(message)


def error_line(text: str) -> dict[str, Any]:
    """The last line of work that failed after its answer had begun."""
    return {"errorDetail": {"message": text}, "error": text}
