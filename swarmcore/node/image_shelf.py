"""The images of one node: as its engine lists them, and as they are called in the whole cluster.

Made for placement and affinity: what images are called is counted when they are read, not when
somebody asks.
"""

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

_Images = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class ImageShelf:
    """What an engine has, less the names that mean another image by now.

    Attributes:
        images: image id -> its object in ``GET /images/json``, without the names that moved away;
            replaced whole, never changed.
        named: name, a tag or digest as engines print it -> id of the image that it means here.
        moved_names: those names -> the id of the image that the engine still calls so.
    """

    images: _Images = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    moved_names: Mapping[str, str] = field(default_factory=dict)
    _listed: _Images = field(default_factory=dict)
    _listed_words: frozenset[str] = frozenset()
    _words: frozenset[str] | None = None

    def put(self, images: _Images) -> None:
        """The engine lists *images*."""
        self._listed = images
        self._listed_words = frozenset(words_of_images(images))
        self.move(self.moved_names)

    def move(self, names: Mapping[str, str]) -> None:
        """*names* mean images of other nodes by now; those that did so before and are not among
        them mean what the engine calls so."""
        self.moved_names = names
        changed = {
            id: without_moved_names(names, self._listed[id])
            for id in set(names.values())
            if id in self._listed
        }
        self.images = {**self._listed, **changed} if changed else self._listed
        self.named = {
            familiar_image(name): id
            for id, image in self.images.items()
            for name in names_of_image(image)
        }
        self._words = None

    @property
    def words(self) -> Collection[str]:
        """What the images may be called: ids, short ids, tags, digests, repositories."""
        if not self.moved_names:
            return self._listed_words
        if self._words is None:
            words = self._listed_words - self.moved_names.keys()
            for repository in {split_image(name)[0] for name in self.moved_names}:
                if not any(word.startswith((f"{repository}:", f"{repository}@")) for word in words):
                    words -= {repository}
            self._words = words
        return self._words
