"""The images of one node: as its engine lists them, without names that moved to other images.

Names are indexed when the list is read, so that placement and affinities need not search it.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmcore.images import (
    familiar_image,
    names_of_image,
    split_image,
    without_moved_names,
    words_of_images,
)
from swarmcore.match_cache import Texts

_Images = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class NodeImages:
    """The images of a node.

    Attributes:
        images: image id -> its object in ``GET /images/json``, without names that moved away;
            replaced as a whole.
        named: tag or digest, as engines print it -> id of the image.
        moved_names: names that moved away -> id of the image that the engine has under the name.
    """

    images: _Images = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    moved_names: Mapping[str, str] = field(default_factory=dict)
    _listed: _Images = field(default_factory=dict)
    _listed_named: Mapping[str, str] = field(default_factory=dict)
    _listed_words: frozenset[str] = frozenset()
    _listed_texts: Texts = field(default_factory=Texts)
    _repositories: Mapping[str, int] = field(default_factory=dict)
    _texts: Texts | None = None

    def put(self, images: _Images) -> None:
        """Replace the images by the engine's list."""
        self._listed = images
        self._listed_named = {
            familiar_image(name): id
            for id, image in images.items()
            for name in names_of_image(image)
        }
        self._listed_words = frozenset(words_of_images(images))
        self._listed_texts = Texts(self._listed_words)
        self._repositories = Counter(split_image(name)[0] for name in self._listed_named)
        self.move(self.moved_names)

    def move(self, names: Mapping[str, str]) -> None:
        """Set the names that refer to images of other nodes; all others refer to the images that
        the engine has under them."""
        self.moved_names = names
        self.images, self.named, self._texts = self._listed, self._listed_named, None
        gone = self._gone()
        if gone:
            changed = {id: without_moved_names(names, self._listed[id]) for id in gone.values()}
            self.images = {**self._listed, **changed}
            named = dict(self._listed_named)
            for name in gone:
                del named[name]
            self.named = named

    @property
    def words(self) -> Collection[str]:
        """Texts that refer to the images: ids, short ids, tags, digests, repositories."""
        gone = self._gone()
        if not gone:
            return self._listed_texts
        if self._texts is None:
            lost = Counter(split_image(name)[0] for name in gone)
            empty = {each for each, count in lost.items() if count == self._repositories[each]}
            self._texts = Texts(self._listed_words - gone.keys() - empty)
        return self._texts

    def _gone(self) -> Mapping[str, str]:
        """The moved names that the engine still lists for the same image."""
        listed = self._listed_named
        return {name: id for name, id in self.moved_names.items() if listed.get(name) == id}
