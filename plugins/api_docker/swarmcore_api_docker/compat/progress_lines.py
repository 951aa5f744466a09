"""Adds nodes and errors to lines of Docker's progress format; ``image_supply`` reads them.

A client draws one row of the terminal for each ``id``.  So the ids must also name the node when
lines of several engines are merged.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore.printable import printable


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
