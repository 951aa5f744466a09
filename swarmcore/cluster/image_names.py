"""Which image each name means, over the whole cluster: the one that it was last given.

On one engine a name that is given anew leaves its former image without it.  Engines of a cluster do
not know of each other: one builds ``app`` anew, the others go on calling an older image ``app``.
Here is kept, name by name, which image is meant; on every other node the name has *moved away* from
the image that its engine calls so, and counts as not there.

Kept up to date as engines' lists are read, so that no look-up walks the cluster.  Only tags are
kept: a digest always means the same.  Times come as arguments, in Unix seconds.

The rules:

- A name that a list shows anew, right after an event or after a request of ours, was given just
  then (``live``).  What is found otherwise, when an engine joins or after lost events, has no known
  moment: it is a dispute, which the images' own dates settle (``settle``).
- Images are the same image when they share an id, a repository digest (one manifest, other
  platforms or another image store) or their content, and when one act gave them the name.
- A name that is removed where it was last given means nothing from then on; older images do not
  get it back.  Where its last holder has left the cluster, it means the newest of what is there.

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
    """An image of one node that has a name there.

    Attributes:
        id: of the image.
        created: from the list.
        digests: of its manifests, from the list, repositories left out.
        date: when it was last tagged or made, from its inspection; ``None`` while unknown.
        content: what it is made of, from its inspection; empty while unknown.
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
    """What a name means: one image, under each id that it has on some engine.

    Attributes:
        ids, digests, contents: any of them tells an image that is the same.
        date: when the name was given; ``None``: it was found.
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
        """Returns whether that may include more than before."""
        before = len(self.ids) + len(self.digests) + len(self.contents)
        self.ids.add(held.id)
        self.digests |= held.digests
        if held.content:
            self.contents.add(held.content)
        return len(self.ids) + len(self.digests) + len(self.contents) > before


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a dispute ended.

    Attributes:
        name: what it was about.
        image_id: what the name means.
        node_ids: where that is.
        date: of that image.
        older: node id -> the image that the name does not mean there, and its date.
    """

    name: str
    image_id: str
    node_ids: tuple[str, ...]
    date: float
    older: Mapping[str, tuple[str, float]]


class ImageNames:
    """All names of all nodes.

    Args:
        tell: called with a node's id, and the names that moved away there with the images that its
            engine calls so, whenever these change.
    """

    def __init__(self, tell: Callable[[str, Mapping[str, str]], None]) -> None:
        self._tell = tell
        self._held: dict[str, dict[str, _Held]] = {}
        self._holders: dict[str, dict[str, _Held]] = {}
        self._meanings: dict[str, _Meaning] = {}
        self._moved: dict[str, dict[str, str]] = {}
        self._disputes: dict[str, set[str]] = {}
        self._set_aside: dict[str, Counter[str]] = {}

    # ---- asking

    def ids(self, name: str) -> frozenset[str]:
        """The ids of the image that a name with a tag, or without, means; empty for no name."""
        meaning = self._meanings.get(shown_image(name))
        return frozenset(meaning.ids if meaning else ())

    def held_id(self, name: str, node_id: str) -> str:
        """The image that the engine of a node calls *name*, moved away or not; empty for none."""
        held = self._held.get(node_id, {}).get(shown_image(name))
        return held.id if held else ""

    def moved(self, node_id: str) -> Mapping[str, str]:
        """The names that moved away on a node, each with the image that its engine calls so."""
        return dict(self._moved.get(node_id, ()))

    def is_set_aside(self, name: str, node_id: str) -> bool:
        """Whether what a node calls *name* counts for nothing now; see ``setting_aside``."""
        aside = self._set_aside.get(node_id)
        return aside is not None and shown_image(name) in aside

    # ---- what happens

    def read(
        self, node_id: str, images: Mapping[str, Mapping[str, Any]], *, live: bool, now: float
    ) -> None:
        """A node's list of images was read.

        Args:
            node_id: whose.
            images: id -> its object in ``GET /images/json``.
            live: what is new in it came about just now.
            now: when.
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
        """One act gave a name, to an image that was perhaps called so there before.

        Args:
            name: with its tag, or without.
            images: node id -> the image that had the name right after the act; several ids of one
                act are one image.
            now: when.
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
        """A node is no longer the cluster's: names that only it gave mean what others call so."""
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
        """What becomes of *names* on a node while the block lasts gives nobody these names."""
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
        """What a node calls *name* is a copy of an image, perhaps under another id."""
        name = shown_image(name)
        meaning, held = self._meanings.get(name), self._holders.get(name, {}).get(node_id)
        if meaning is not None and held is not None and image_id in meaning.ids:
            told: set[str] = set()
            meaning.add(held)
            self._review_all(name, told)
            self._tell_all(told)

    # ---- disputes

    def disputed(self, node_id: str) -> list[str]:
        """The names about which a node's list is in dispute."""
        return [name for name, nodes in self._disputes.items() if node_id in nodes]

    def undated(self, name: str, node_id: str) -> list[tuple[str, str]]:
        """Node and image id of every image that must be inspected to settle what a node's list says
        of a name: the node's own, and one for each id of the image that the name means."""
        meaning = self._meanings[name]
        wanted: dict[str, tuple[str, str]] = {}
        for each, held in self._holders[name].items():
            if held.date is None and (each == node_id or meaning.includes(held)):
                wanted.setdefault(held.id, (each, held.id))
        return list(wanted.values())

    def dated(self, node_id: str, image_id: str, date: float, content: str) -> None:
        """An image was inspected; see ``date_of`` and ``content_of``."""
        for held in self._held.get(node_id, {}).values():
            if held.id == image_id:
                held.date, held.content = date, content

    def settle(self, name: str, node_id: str) -> Settlement | None:
        """End the dispute of a node's list about a name by dates; the list's where none is known.

        Returns:
            How; ``None`` where all were the same image, or nothing was in dispute.
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
        """Let *held* be what *name* means if it is the newer one."""
        meaning, holders = self._meanings[name], self._holders[name].values()
        ours = [each for each in holders if meaning.includes(each)]
        for each in ours:
            meaning.add(each)  # with contents that inspections told
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
        """A node calls an image by a name by which it did not call it before."""
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
        """A node calls no image by a name any more."""
        holders = self._holders[name]
        del holders[node_id]
        if self._moved.get(node_id, {}).pop(name, None):
            told.add(node_id)
        self._end_dispute(name, node_id)
        if not holders:
            del self._holders[name], self._meanings[name]

    def _is_unsure(self, name: str, node_id: str) -> bool:
        """Whether news of an image may change what its node's name is."""
        meaning, held = self._meanings[name], self._holders[name][node_id]
        return name in self._moved.get(node_id, ()) or not held.digests <= meaning.digests

    def _review_all(self, name: str, told: set[str]) -> None:
        for node_id in self._holders[name]:
            self._review(name, node_id, told)

    def _review(self, name: str, node_id: str, told: set[str]) -> None:
        """See whether a name has moved away on a node; *told* gets the node if that changes."""
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
    """Name -> image; the objects of *before* where the image is the same."""
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
