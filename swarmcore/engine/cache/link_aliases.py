"""Additional container names from links.

``docker run --name web --link db:data`` gives the container ``db`` a second name, ``web/data``.
Engines list these names but send no event when they change, so they are computed from the container
that has the links.  Pure.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import Any

from swarmcore.model import Container

#: Pairs of a linked container's name and its alias: ``("db", "web/data")``.
Links = Set[tuple[str, str]]


def links_of(container: Container | None) -> Links:
    """The links of *container*, from its inspection."""
    return frozenset() if container is None else container.facts.links


def find_named(containers: Iterable[Container], name: str) -> Container | None:
    """The container of one node that is named *name*."""
    return next((each for each in containers if each.name == name), None)


def with_aliases(linked: Container, name: str, before: Links, now: Links) -> Container:
    """*linked* with the names that its engine lists after links have changed.

    Args:
        linked: the container.
        name: its own name.
        before, now: the links of the linking container before and after the change.
    """
    lost, gained = ({alias for own, alias in links if own == name} for links in (before, now))
    kept = [each for each in linked.names if each not in lost]
    names = (*kept, *sorted(gained - set(kept)))
    summary: Mapping[str, Any] = {**linked.summary, "Names": [f"/{each}" for each in names]}
    return replace(linked, names=names, summary=summary)
