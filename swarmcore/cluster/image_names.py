"""Which image each name refers to in the whole cluster: the image that was named last.

On one engine, giving a name to another image takes it away from the former image.  The engines of a
cluster do not know of each other: if one engine builds ``app`` again, the others still call an
older image ``app``.  This module keeps the current image of each name.  On a node that has another
image under the name, the name has *moved away*, and the image counts as missing there.

The state is updated when engines' image lists are read.  Only tags are kept; a digest always refers
to the same image.  Times are arguments, in Unix seconds.

The rules:

- If a list shows a new name right after an event or after one of our requests, the name was given
  at that moment (``live``).  If it is found otherwise, when an engine joins or after events were
  lost, the moment is unknown.  The name is then in dispute, and the images' dates decide
  (``settle``).
- Two images are the same image if they share an id, a repository digest (the same manifest for
  another platform or image store) or their content, or if one operation gave them the name.
- A name that is removed on the node where it was given last refers to no image; older images do
  not get it back.  If the last node that has the name leaves the cluster, the name refers to the
  newest image that is left.

Pure.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from swarmcore.images import familiar_image, shown_image


@dataclass(slots=True, eq=False)
class _Held:
    """An image that has a name on one node.

    Attributes:
        id: the image id.
        created: from the list, Unix seconds.
        digests: manifest digests from the list, without repositories.
        date: when it was last tagged or created, from its inspection; ``None`` while unknown.
        content: digest of its content, from its inspection; empty while unknown.
    """

    id: str
    created: float
    digests: frozenset[str] = frozenset()
    date: float | None = None
    content: str = ""

    @property
    def best_date(self) -> float:
        return self.created if self.date is None else self.date


@dataclass(slots=True, eq=False)
class _Meaning:
    """The image that a name refers to, with every id that it has on some engine.

    Attributes:
        ids, digests, contents: an image that has any of these is the same image.
        date: when the name was given; ``None`` if it was only found.
    """

    date: float | None
    ids: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)
    contents: set[str] = field(default_factory=set)

    def includes(self, held: _Held) -> bool:
        return (
            held.id in self.ids
            or not self.digests.isdisjoint(held.digests)
            or held.content in self.contents
        )

    def add(self, held: _Held) -> bool:
        """Add an id of the image; return whether more images may now be the same image."""
        before = len(self.ids) + len(self.digests) + len(self.contents)
        self.ids.add(held.id)
        self.digests |= held.digests
        if held.content:
            self.contents.add(held.content)
        return len(self.ids) + len(self.digests) + len(self.contents) > before


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of a dispute.

    Attributes:
        name: the image name.
        image_id: the image that the name refers to.
        node_ids: the nodes that have that image.
        date: the date of that image.
        older: node id -> id and date of another image that the node has under the name.
    """

    name: str
    image_id: str
    node_ids: tuple[str, ...]
    date: float
    older: Mapping[str, tuple[str, float]]


class ImageNames:
    """The names of all images on all nodes.

    Args:
        tell: called when the names that have moved away on a node change: with the node's id and
            a mapping of those names to the images that the engine still has under them.
    """

    def __init__(self, tell: Callable[[str, Mapping[str, str]], None]) -> None:
        self._tell = tell
        self._held: dict[str, dict[str, _Held]] = {}
        self._holders: dict[str, dict[str, _Held]] = {}
        self._meanings: dict[str, _Meaning] = {}
        self._moved: dict[str, dict[str, str]] = {}
        self._disputes: dict[str, set[str]] = {}
        self._set_aside: dict[str, Counter[str]] = {}

    # ---- queries

    def ids(self, name: str) -> frozenset[str]:
        """The ids of the image that *name* refers to; empty if no engine has the name."""
        meaning = self._meanings.get(shown_image(name))
        return frozenset(meaning.ids if meaning else ())

    def held_id(self, name: str, node_id: str) -> str:
        """The id of the image that a node's engine has under *name*, current or not, or empty."""
        held = self._held.get(node_id, {}).get(shown_image(name))
        return held.id if held else ""

    def moved(self, node_id: str) -> Mapping[str, str]:
        """The names that have moved away on a node, each with the image that it still has there."""
        return dict(self._moved.get(node_id, ()))

    def is_set_aside(self, name: str, node_id: str) -> bool:
        """Whether *name* is ignored on a node now; see ``setting_aside``."""
        aside = self._set_aside.get(node_id)
        return aside is not None and shown_image(name) in aside

    # ---- updates

    def read(
        self, node_id: str, images: Mapping[str, Mapping[str, Any]], *, live: bool, now: float
    ) -> None:
        """Record a node's image list.

        Args:
            node_id: the node.
            images: image id -> its object in ``GET /images/json``.
            live: whether new names in the list were given just now.
            now: the current time.
        """
        before = self._held.get(node_id, {})
        after = _read_held(images, before)
        self._held[node_id] = after
        told: set[str] = set()
        for name in before.keys() - after.keys():
            self._drop(name, node_id, told)
        for name, held in after.items():
            known = before.get(name)
            self._holders.setdefault(name, {})[node_id] = held
            if known is held and not self._is_unsure(name, node_id):
                continue
            is_aside = self.is_set_aside(name, node_id) and name in self._meanings
            if known is not held and not is_aside:
                self._take(name, node_id, held, now if live else None, told)
            self._review(name, node_id, told)
        self._tell_all(told)

    def given(self, name: str, images: Mapping[str, str], now: float) -> None:
        """Record that one operation gave a name, perhaps to an image that already had it.

        Args:
            name: with or without a tag.
            images: node id -> the image that had the name right after the operation.  Different
                ids count as one image.
            now: the current time.
        """
        name = shown_image(name)
        holders = self._holders.get(name, {})
        given = [held for node_id, id in images.items()
                 if (held := holders.get(node_id)) is not None and held.id == id]  # fmt: skip
        if not given:
            return
        told: set[str] = set()
        meaning = self._meanings[name]
        if not any(map(meaning.includes, given)):
            meaning = self._move(name, given[0], now)
        meaning.date = now
        for held in given:
            meaning.add(held)
        self._review_all(name, told)
        self._tell_all(told)

    def leave(self, node_id: str) -> None:
        """Remove a node.  A name given only there then refers to the newest image elsewhere."""
        told: set[str] = set()
        for name, held in self._held.pop(node_id, {}).items():
            was_meant = self._meanings[name].includes(held)
            self._drop(name, node_id, told)
            holders = self._holders.get(name, {})
            if not holders or not was_meant:
                continue
            if not any(map(self._meanings[name].includes, holders.values())):
                newest = max(holders.values(), key=lambda held: (held.best_date, held.id))
                self._move(name, newest, None)
                self._review_all(name, told)
        self._moved.pop(node_id, None)
        self._tell_all(told - {node_id})

    @contextmanager
    def setting_aside(self, node_id: str, names: Iterable[str]) -> Iterator[None]:
        """While the block runs, changes of *names* on a node do not change what they refer to."""
        names = [shown_image(name) for name in names]
        aside = self._set_aside.setdefault(node_id, Counter())
        aside.update(names)
        try:
            yield
        finally:
            aside.subtract(names)
            for name in names:
                if not aside[name]:
                    del aside[name]
            if not aside:
                self._set_aside.pop(node_id, None)

    def copied(self, name: str, image_id: str, node_id: str) -> None:
        """Record that a node's image *name* is a copy of *image_id*, perhaps with another id."""
        name = shown_image(name)
        meaning, held = self._meanings.get(name), self._holders.get(name, {}).get(node_id)
        if meaning is not None and held is not None and image_id in meaning.ids:
            told: set[str] = set()
            meaning.add(held)
            self._review_all(name, told)
            self._tell_all(told)

    # ---- disputes

    def disputed(self, node_id: str) -> list[str]:
        """The names that are in dispute because of a node's list."""
        return [name for name, nodes in self._disputes.items() if node_id in nodes]

    def undated(self, name: str, node_id: str) -> list[tuple[str, str]]:
        """The images to inspect before ``settle``, as pairs of node id and image id: the node's own
        image, and one for each id of the image that the name refers to now."""
        meaning = self._meanings[name]
        wanted: dict[str, tuple[str, str]] = {}
        for each, held in self._holders[name].items():
            if held.date is None and (each == node_id or meaning.includes(held)):
                wanted.setdefault(held.id, (each, held.id))
        return list(wanted.values())

    def dated(self, node_id: str, image_id: str, date: float, content: str) -> None:
        """Record the date and content of an inspected image; see ``image_ledger``."""
        for held in self._held.get(node_id, {}).values():
            if held.id == image_id:
                held.date, held.content = date, content

    def settle(self, name: str, node_id: str) -> Settlement | None:
        """Settle a dispute about a name by the images' dates, or creation times if not inspected.

        Returns:
            The result; ``None`` if all images are the same or nothing was in dispute.
        """
        if not self._end_dispute(name, node_id):
            return None
        holders, before = self._holders[name], self._meanings[name]
        self._judge(name, holders[node_id])
        told: set[str] = set()
        self._review_all(name, told)
        self._tell_all(told)
        has_moved = self._meanings[name] is not before
        return self._describe(name, holders.keys() if has_moved else [node_id])

    def _end_dispute(self, name: str, node_id: str) -> bool:
        nodes = self._disputes.get(name, set())
        if node_id not in nodes:
            return False
        nodes.remove(node_id)
        if not nodes:
            del self._disputes[name]
        return True

    def _judge(self, name: str, held: _Held) -> None:
        """Let *name* refer to *held* if *held* is newer than the current image."""
        meaning, holders = self._meanings[name], self._holders[name].values()
        ours = [each for each in holders if meaning.includes(each)]
        for each in ours:
            meaning.add(each)  # an inspection may have added the content
        if meaning.includes(held):
            meaning.add(held)
            return
        date = meaning.date
        if date is None:
            date = max((each.best_date for each in ours), default=0.0)
        if (held.best_date, held.id) > (date, max(meaning.ids)):
            self._move(name, held, held.best_date)

    def _describe(self, name: str, judged: Iterable[str]) -> Settlement | None:
        meaning, holders = self._meanings[name], self._holders[name]
        ours = {node_id: held for node_id, held in holders.items() if meaning.includes(held)}
        older = {
            node_id: (holders[node_id].id, holders[node_id].best_date)
            for node_id in judged
            if node_id not in ours
        }
        if not older:
            return None
        date = meaning.date
        if date is None:
            date = max((held.best_date for held in ours.values()), default=0.0)
        return Settlement(name, min(meaning.ids), tuple(ours), date, older)

    # ---- steps

    def _take(
        self, name: str, node_id: str, held: _Held, now: float | None, told: set[str]
    ) -> None:
        """Record that a node has an image under a name that it did not have before."""
        meaning = self._meanings.get(name)
        if meaning is None:
            self._meanings[name] = meaning = _Meaning(now)
        if not meaning.ids or meaning.includes(held):
            if now is not None:
                meaning.date = now
            if meaning.add(held):
                self._review_all(name, told)
        elif now is not None:
            self._move(name, held, now)
            self._review_all(name, told)
        else:
            self._disputes.setdefault(name, set()).add(node_id)

    def _move(self, name: str, held: _Held, date: float | None) -> _Meaning:
        meaning = self._meanings[name] = _Meaning(date)
        meaning.add(held)
        return meaning

    def _drop(self, name: str, node_id: str, told: set[str]) -> None:
        """Record that a node has no image under a name any more."""
        holders = self._holders[name]
        del holders[node_id]
        if self._moved.get(node_id, {}).pop(name, None):
            told.add(node_id)
        self._end_dispute(name, node_id)
        if not holders:
            del self._holders[name], self._meanings[name]

    def _is_unsure(self, name: str, node_id: str) -> bool:
        """Whether new digests of a node's image may change what its name refers to."""
        meaning, held = self._meanings[name], self._holders[name][node_id]
        return name in self._moved.get(node_id, ()) or not held.digests <= meaning.digests

    def _review_all(self, name: str, told: set[str]) -> None:
        for node_id in self._holders[name]:
            self._review(name, node_id, told)

    def _review(self, name: str, node_id: str, told: set[str]) -> None:
        """Update whether a name has moved away on a node; add the node to *told* if so."""
        meaning, held = self._meanings[name], self._holders[name][node_id]
        moved = self._moved.setdefault(node_id, {})
        if meaning.includes(held):
            grown = meaning.add(held)
            if moved.pop(name, None):
                told.add(node_id)
            if grown:
                self._review_all(name, told)
        elif moved.get(name) != held.id:
            moved[name] = held.id
            told.add(node_id)

    def _tell_all(self, node_ids: Iterable[str]) -> None:
        for node_id in node_ids:
            self._tell(node_id, self.moved(node_id))


def _read_held(
    images: Mapping[str, Mapping[str, Any]], before: Mapping[str, _Held]
) -> dict[str, _Held]:
    """Name -> image, from an image list; reuses the objects of *before* for known images."""
    known = {held.id: held for held in before.values()}
    found: dict[str, _Held] = {}
    for id, image in images.items():
        tags = [tag for tag in image.get("RepoTags") or () if not tag.startswith("<none>")]
        if not tags:
            continue
        held = known.get(id) or _Held(id, float(image.get("Created") or 0))
        held.digests = frozenset(
            name.partition("@")[2]
            for name in image.get("RepoDigests") or ()
            if not name.startswith("<none>")
        )
        found |= {familiar_image(tag): held for tag in tags}
    return found
