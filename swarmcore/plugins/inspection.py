"""The output of ``swarmcore plugins``: every installed plugin, checked on its own.

A plugin that fails is shown as a row with the problem.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from swarmcore.errors import PluginError
from swarmcore.plugins.catalogue import PluginInfo, conflict, conflicting, installed, listing
from swarmcore.plugins.importing import one_line
from swarmcore.plugins.plugins import check, import_installed


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One row: the hooks of a plugin, or what is wrong with it."""

    info: PluginInfo
    hooks: Sequence[str] = ()
    problem: str = ""


def inspect_installed() -> list[PluginStatus]:
    """Import and check every installed plugin, each in a plugin manager of its own."""
    known = installed()
    doubled = conflicting(known)
    return [
        PluginStatus(info, problem=conflict([other for other in known if other.name == info.name]))
        if info.name in doubled
        else _inspect(info)
        for info in known
    ]


def as_table(rows: Sequence[PluginStatus]) -> str:
    """Format rows as text in columns."""
    if not rows:
        return f"{listing(())}\n"
    cells = [
        (
            row.info.name,
            row.info.distribution,
            row.info.version,
            "BROKEN" if row.problem else "ok",
            row.problem or ", ".join(row.hooks),
        )
        for row in rows
    ]
    return in_columns(cells)


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Lines of left-aligned columns; *rows* has at least one row, and all have the same length."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in rows
    )
    return "".join(f"{line}\n" for line in lines)


def as_json(rows: Sequence[PluginStatus]) -> str:
    """Format rows as a JSON list of objects; ``problem`` is empty for a plugin that loads."""
    facts = [
        {
            "name": row.info.name,
            "kind": row.info.kind,
            "distribution": row.info.distribution,
            "version": row.info.version,
            "target": row.info.target,
            "hooks": list(row.hooks),
            "problem": row.problem,
        }
        for row in rows
    ]
    return json.dumps(facts, indent=2) + "\n"


def _inspect(info: PluginInfo) -> PluginStatus:
    try:
        return PluginStatus(info, check(info, import_installed(info)))
    except PluginError as error:
        # The row shows the plugin's name, so the cause is enough.
        problem = repr(error.__cause__) if error.__cause__ else str(error)
        return PluginStatus(info, problem=one_line(problem))
