"""Keeps documents of engines compressed, and decodes them when they are read.

A document of five kilobytes takes 28 KB as Python objects, and 200 bytes compressed with an earlier
document of the same engine as the dictionary: most of it is the same for all containers.
"""

import zlib
from collections.abc import ItemsView, Iterator, Mapping
from functools import lru_cache
from typing import Any

from swarmcore.json_bytes import read_json

#: Raw deflate with the largest window, so that a whole dictionary is used; little memory, because
#: allocating it takes most of the time.  Level 1 is as small as level 6 here, in a third of the
#: time.
_WINDOW, _MEMORY, _LEVEL = -15, 5, 1
#: Longer documents are no dictionary: the window is not longer.
_LARGEST_DICTIONARY = 16 * 1024
#: The number of documents that stay decoded after they were read.
_DECODED = 16


class KeptDocument(Mapping[str, Any]):
    """A JSON object, decoded when one of its values is read."""

    __slots__ = ("_dictionary", "_packed")

    def __init__(self, packed: bytes, dictionary: bytes) -> None:
        self._packed = packed
        self._dictionary = dictionary

    @property
    def encoded(self) -> bytes:
        """The document as it was given to ``DocumentKeeper.keep``."""
        return _unpack(self._packed, self._dictionary)

    def __getitem__(self, key: str) -> Any:
        return _decode(self._packed, self._dictionary)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_decode(self._packed, self._dictionary))

    def __len__(self) -> int:
        return len(_decode(self._packed, self._dictionary))

    def items(self) -> ItemsView[str, Any]:
        """All keys and values; decodes once, not once for each key as the inherited method."""
        return _decode(self._packed, self._dictionary).items()

    def __repr__(self) -> str:
        return repr(_decode(self._packed, self._dictionary))


class DocumentKeeper:
    """Compresses documents of one kind of one engine.  The first one becomes the dictionary."""

    __slots__ = ("_dictionary",)

    def __init__(self) -> None:
        self._dictionary = b""

    def keep(self, encoded: bytes) -> KeptDocument:
        """Keep a document.

        Args:
            encoded: a JSON object.
        """
        dictionary = self._dictionary = self._dictionary or encoded[:_LARGEST_DICTIONARY]
        # A new compressor each time: one that is copied would keep 150 KB for each engine.
        compressor = zlib.compressobj(
            _LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, dictionary
        )
        return KeptDocument(compressor.compress(encoded) + compressor.flush(), dictionary)


def is_kept(document: Mapping[str, Any], encoded: bytes) -> bool:
    """Whether *document* is a kept one that was given as *encoded*."""
    return isinstance(document, KeptDocument) and document.encoded == encoded


def _unpack(packed: bytes, dictionary: bytes) -> bytes:
    return zlib.decompressobj(_WINDOW, dictionary).decompress(packed)


@lru_cache(maxsize=_DECODED)  # a reader often reads several values of one document
def _decode(packed: bytes, dictionary: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = read_json(_unpack(packed, dictionary))
    return document
