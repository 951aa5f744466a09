"""Progress lines of one pull on several engines, made into one stream that a terminal can draw.

A client draws one row per ``id``; with several engines an id is that of an engine and a layer.
"""

import json
from collections.abc import Mapping
from typing import Any

#: No progress line is near this; what is longer without a newline is passed over.
_LONGEST_LINE = 1024 * 1024


class Lines:
    """Cuts a byte stream into JSON objects, one per line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The objects that *data* completes; lines that are no objects are passed over."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return [found for line in lines if (found := _read_object(line)) is not None]

    def end(self) -> list[dict[str, Any]]:
        """What stood after the last newline."""
        found, self._rest = _read_object(self._rest), b""
        return [] if found is None else [found]


def _read_object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def error_text(message: Mapping[str, Any]) -> str | None:
    """The error that a progress line reports, or ``None``."""
    detail = message.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    return str(message["error"]) if message.get("error") else None


def mark(message: Mapping[str, Any], node_name: str) -> dict[str, Any]:
    """A progress line of one engine among several."""
    if message.get("id"):
        return {**message, "id": f"{node_name}: {message['id']}"}
    if message.get("status"):
        return {**message, "status": f"{node_name}: {message['status']}"}
    return dict(message)


def error_line(text: str) -> dict[str, Any]:
    """The last line of a pull that failed after it began."""
    return {"errorDetail": {"message": text}, "error": text}
