"""Formats the latest moves of containers, oldest first.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from swarmcore_operations.commands.columns import count, moment, wrap

Document = Mapping[str, Any]


def moves_text(moves: Sequence[Document], *, width: int) -> str:
    """A paragraph for each move, latest at the end.

    Args:
        moves: the documents of ``GET /swarmcore/moves``, newest first.
        width: width of the terminal in characters.
    """
    lines = [line for each in reversed(moves) for line in _lines(each, width)]
    return "".join(f"{line}\n" for line in lines)


def _lines(move: Document, width: int) -> list[str]:
    when = moment(move["Time"])
    text = f"{when}  {move['Name']} {_outcome(move)}"
    return wrap(text, width=width, hanging=" " * (len(when) + 2))


def _outcome(move: Document) -> str:
    source, target = move["Source"], move["Target"]
    match move["State"]:
        case "moved":
            return f"moved from {source} to {target}"
        case "failed":
            tried = count(move["Attempts"], "attempt")
            return f"stays on {source} after {tried}: {move['Error']}"
        case _:
            return f"is being moved from {source}"
