"""The control groups that engines make for their containers, in version 1 and version 2."""

import contextlib
import functools
from pathlib import Path

from swarmcore.testing.lab.machine import wait_until

_EMPTY_SECONDS = 10.0


def thaw(parent: str) -> None:
    """Let frozen (``docker pause``) containers run: version 1 cannot kill them otherwise.

    Args:
        parent: the group above them, from the root of the hierarchy ("/swl17").
    """
    for root in _hierarchies():
        for state in _group(root, parent).glob("**/freezer.state"):
            with contextlib.suppress(OSError):
                state.write_text("THAWED")


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
    below = sorted((path for path in group.glob("**/") if path != group), reverse=True)
    for path in (*below, group):
        with contextlib.suppress(OSError):
            path.rmdir()
    return not group.exists()


def _hierarchies() -> list[Path]:
    roots = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] in ("cgroup", "cgroup2"):
            roots.append(Path(fields[4]))
    return roots
