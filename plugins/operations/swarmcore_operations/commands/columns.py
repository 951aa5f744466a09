"""Formats texts and tables for the width of a terminal.  Pure."""

import textwrap
from collections.abc import Sequence
from datetime import datetime

_GAP = "  "


def table(
    rows: Sequence[Sequence[str]],
    *,
    width: int,
    hidden: Sequence[int] = (),
    spare: Sequence[int] = (),
) -> list[str]:
    """Format rows as lines of left-aligned columns.

    Args:
        rows: the header first; all of the same length.
        width: width of the terminal in characters.
        hidden: columns that are left out.
        spare: columns that are left out, in this order, while the table is too wide.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    kept = [column for column in range(len(widths)) if column not in hidden]
    for column in spare:
        if sum(widths[each] + len(_GAP) for each in kept) - len(_GAP) <= width:
            break
        if column in kept:
            kept.remove(column)
    return [_GAP.join(f"{row[each]:<{widths[each]}}" for each in kept).rstrip() for row in rows]


def wrap(text: str, *, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Wrap *text*; a word that is longer than a line is not split.

    Args:
        text: a text without line breaks.
        width: width of the terminal in characters.
        indent: put before the first line.
        hanging: put before further lines; *indent* by default.
    """
    return textwrap.wrap(
        text,
        max(width, len(indent) + 20),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def some(names: Sequence[str], *, room: int) -> str:
    """``n1, n2, n3 and 57 more``: as many of *names* as fit into *room* characters, at least 1."""
    if len(", ".join(names)) <= room:
        return ", ".join(names)
    shown = 1
    while shown < len(names) and len(_with_rest(names, shown + 1)) <= room:
        shown += 1
    return _with_rest(names, shown)


def _with_rest(names: Sequence[str], shown: int) -> str:
    rest = len(names) - shown
    listed = ", ".join(names[:shown])
    return f"{listed} and {rest} more" if rest else listed


def moment(text: str) -> str:
    """A time of an answer as month, day and time in the zone of the terminal."""
    return datetime.fromisoformat(text).astimezone().strftime("%m-%d %H:%M:%S")


def count(number: int, noun: str) -> str:
    """``1 node``, ``3 nodes``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
