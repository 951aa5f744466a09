"""Counts the changes of nodes, so that what was made of nodes is kept until one changes.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarmcore.node.changes import ASPECT_OF, Watched

#: Attributes of a node that are not a part of its description -> the counter that they advance.
#: What is changed in place, or set through a property, has a number of its own here.
_COUNTERS: Mapping[str, str | None] = {
    "updated_at": "contacts",
    "container_changes": "contents",
    "image_changes": "contents",
    "reservation_changes": "contents",
    "images": None,  # counted by ``image_changes``, as is the next
    "moved_names": None,
    "labels": None,  # counted by ``_labels``, which also have the operator's
    "networks": None,  # no answer that is kept shows networks or volumes
    "volumes": None,
    "revision": None,
    "changes": None,
}


@dataclass(slots=True)
class Revision:
    """How often the nodes of a cluster were changed, by what has changed.

    Attributes:
        contacts: times of last contacts.
        contents: containers, reservations, and images or their names.
        descriptions: all else about a node, such as state, name, labels or info; and which nodes
            there are.
    """

    contacts: int = 0
    contents: int = 0
    descriptions: int = 0

    @property
    def numbers(self) -> tuple[int, int, int]:
        """All counters: while they are equal, no node has changed."""
        return self.contacts, self.contents, self.descriptions


class Counted(Watched):
    """Counts and notes the changes of a node; the base class of nodes.

    Every assignment of another value to a public attribute counts, so that no change can be
    forgotten.

    Attributes:
        revision: the counters of the cluster; by default, of this node alone.
        changes: how often this node was changed.
    """

    def __init__(self) -> None:
        self.revision = Revision()
        self.changes = 0

    if not TYPE_CHECKING:  # mypy would accept assignments to attributes that do not exist

        def __setattr__(self, name: str, value: object) -> None:
            if name[0] != "_" or name == "_labels":
                self._count(name, value)
            super().__setattr__(name, value)

    def _count(self, name: str, value: object) -> None:
        """Count the assignment of *value* to an attribute, if the value is another one."""
        counter = _COUNTERS.get(name, "descriptions")
        if counter is None:
            return
        before = getattr(self, name, None)
        if before is not value and before != value:
            self.changes += 1
            setattr(self.revision, counter, getattr(self.revision, counter) + 1)
            if (aspect := ASPECT_OF.get(name)) is not None:
                self._note(aspect)
