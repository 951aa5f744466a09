"""Which nodes have changed since when, so that results about nodes can be kept.

A node notes its changes in the logs that watch it.  Networks, volumes and what spans engines are
not noted, as they also depend on other nodes.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final


class Aspect(Enum):
    """A part of a node's state whose changes are noted.

    Attributes:
        MACHINE: id, name, address, size, labels, ``info`` and versions.
        HEALTH: state, failures and drain.
        CONTAINERS: containers and reservations with their names, labels, states and claims.
        IMAGES: images, the names that moved away, and failed pulls; not images of reservations.
    """

    MACHINE = "machine"
    HEALTH = "health"
    CONTAINERS = "containers"
    IMAGES = "images"

    # Members are singletons; hashing by name, as Enum does, takes a Python call each time.
    __hash__ = object.__hash__


#: Every aspect; what a rule with a key reads unless it says less.
ALL_ASPECTS: Final = frozenset(Aspect)


class ChangeLog:
    """The latest change of each node, by aspect.  Its size is limited by the number of nodes."""

    def __init__(self) -> None:
        #: The number of changes noted.
        self.number = 0
        #: Aspect -> node -> number of its latest change, in the order of the numbers.
        self._latest: dict[Aspect, dict[Watched, int]] = {aspect: {} for aspect in Aspect}

    def note(self, node: "Watched", aspect: Aspect) -> None:
        """Record a change of *node*."""
        self.number += 1
        latest = self._latest[aspect]
        latest.pop(node, None)  # so that the node becomes the last one
        latest[node] = self.number

    def since(self, number: int, aspects: Iterable[Aspect]) -> "set[Watched]":
        """The nodes of which one of *aspects* changed after the change with *number*.

        Visits only these nodes.
        """
        changed: set[Watched] = set()
        for aspect in aspects:
            for node, at in reversed(self._latest[aspect].items()):
                if at <= number:
                    break
                changed.add(node)
        return changed


#: Attribute of a node -> the aspect that changes when it is assigned.
ASPECT_OF: Final = {
    **dict.fromkeys(
        ("id", "name", "address", "ip", "cpus", "memory", "overcommit", "cpu_shares_are_cpus",
         "version", "skew_seconds", "api_version", "min_api_version", "_labels", "info"),
        Aspect.MACHINE,
    ),
    **dict.fromkeys(("state", "failures", "failure_limit", "drained"), Aspect.HEALTH),
    **dict.fromkeys(("container_changes", "reservation_changes"), Aspect.CONTAINERS),
    **dict.fromkeys(("image_changes", "failed_pulls"), Aspect.IMAGES),
}  # fmt: skip


class Watched:
    """Notes the changes of a node in the logs that watch it."""

    _logs: tuple[ChangeLog, ...] = ()

    def watch(self, log: ChangeLog) -> None:
        """Note changes in *log* from now on."""
        self._logs = (*self._logs, log)

    def unwatch(self, log: ChangeLog) -> None:
        """Undo ``watch``."""
        self._logs = tuple(each for each in self._logs if each is not log)

    def _note(self, aspect: Aspect) -> None:
        for log in self._logs:
            log.note(self, aspect)
