"""The control groups that engines make for their containers, in version 1 and version 2."""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from swarmcore_lab.machine import wait_until

_EMPTY_SECONDS = 10.0


def thaw(parent: str) -> None:
    """Let frozen (``docker pause``) containers run: version 1 cannot kill them otherwise.

    Args:
        parent: the group above them, from the root of the hierarchy ("/swl17").
    """
    for root in _hierarchies():
        for group in _tree(_group(root, parent)):
            with contextlib.suppress(OSError):  # it is not frozen, or has just gone
                (group / "freezer.state").write_text("THAWED")


def remove(parent: str) -> None:
    """Remove a group and all below it from every hierarchy.

    Args:
        parent: as for :func:`thaw`.

    Raises:
        LabError: processes in it would not end.
    """
    groups = [_group(root, parent) for root in _hierarchies()]
    for group in groups:
        if group.exists():
            wait_until(
                functools.partial(_is_removed, group), f"{group} to empty", seconds=_EMPTY_SECONDS
            )


def _group(root: Path, parent: str) -> Path:
    return root / parent.strip("/")


def _is_removed(group: Path) -> bool:
    for path in _tree(group):
        with contextlib.suppress(OSError):  # it is not empty yet, or has just gone
            path.rmdir()
    return not group.exists()


def _tree(group: Path) -> Iterator[Path]:
    """A group and all below it, from the innermost out; engines remove some meanwhile.

    ``Path.glob`` raises when a folder goes that it is about to read, ``os.walk`` passes over it.
    """
    return (Path(folder) for folder, _, _ in os.walk(group, topdown=False))


def _hierarchies() -> list[Path]:
    roots = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] in ("cgroup", "cgroup2"):
            roots.append(Path(fields[4]))
    return roots
