"""The control groups (v1 and v2) that engines make for their containers."""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from swarmcore_lab.machine import wait_until

_EMPTY_SECONDS = 10.0


def thaw(parent: str) -> None:
    """Thaw paused containers (``docker pause``): in version 1, a frozen process cannot be killed.

    Args:
        parent: the control group above the containers, from the root of the hierarchy ("/swl17").
    """
    for root in _hierarchies():
        for group in _tree(_group(root, parent)):
            with contextlib.suppress(OSError):  # the group is not frozen, or was removed meanwhile
                (group / "freezer.state").write_text("THAWED")


def remove(parent: str) -> None:
    """Remove a control group, with all groups below it, from every hierarchy.

    Args:
        parent: as for :func:`thaw`.

    Raises:
        LabError: processes in it did not end in time.
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
        with contextlib.suppress(OSError):  # the group is not empty yet, or was removed meanwhile
            path.rmdir()
    return not group.exists()


def _tree(group: Path) -> Iterator[Path]:
    """Yield a group and all groups below it, the innermost first.

    Engines may remove groups meanwhile.  ``os.walk`` ignores a folder that is gone, and
    ``Path.glob`` raises an error.
    """
    return (Path(folder) for folder, _, _ in os.walk(group, topdown=False))


def _hierarchies() -> list[Path]:
    roots = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] in ("cgroup", "cgroup2"):
            roots.append(Path(fields[4]))
    return roots
