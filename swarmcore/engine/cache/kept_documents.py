"""Keeps documents of engines compressed, and decodes them when they are read.

A document of five kilobytes takes 28 KB as Python objects, and 200 bytes compressed with an earlier
document of its kind as the dictionary: most of it is the same for all containers.
"""

import zlib
from collections.abc import ItemsView, Iterator, Mapping
from functools import lru_cache
from typing import Any

from swarmcore.json_bytes import read_json

#: Raw deflate with little memory, because allocating and copying it takes much of the time.  Level
#: 1 is as small as level 6 here, in a third of the time.
_MEMORY, _LEVEL = 5, 1
#: The largest window, in the logarithm that zlib takes; negative for raw deflate.
_LARGEST_WINDOW = 15
#: The dictionary is the beginning of a longer document: the rest would be outside the window.
_LARGEST_DICTIONARY = 16 * 1024
#: How many kinds of documents have a keeper: two for each release of the engines.
_KINDS = 32
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
    """Compresses documents of one kind.  The first one becomes the dictionary."""

    __slots__ = ("_dictionary", "_prepared")

    def __init__(self) -> None:
        self._dictionary = b""
        #: A compressor that has read the dictionary, which takes it half of the time of a document.
        self._prepared: zlib._Compress | None = None

    def keep(self, encoded: bytes) -> KeptDocument:
        """Keep a document.

        Args:
            encoded: a JSON object.
        """
        if self._prepared is None:
            self._dictionary = encoded[:_LARGEST_DICTIONARY]
            # Window and memory are copied for each document.  A document is as far behind the
            # same place of the dictionary as that is long, or a little farther.
            window = min((len(self._dictionary) * 5 // 4 + 512).bit_length(), _LARGEST_WINDOW)
            self._prepared = zlib.compressobj(
                _LEVEL, zlib.DEFLATED, -window, _MEMORY, zlib.Z_DEFAULT_STRATEGY, self._dictionary
            )
        compressor = self._prepared.copy()
        return KeptDocument(compressor.compress(encoded) + compressor.flush(), self._dictionary)


@lru_cache(maxsize=_KINDS)
def keeper_of(kind: str, release: str) -> DocumentKeeper:
    """The keeper of one kind of documents, for all engines of a release.

    A prepared compressor takes 40 KB, too much for each of a thousand engines.

    Args:
        kind: a name for the kind of document.
        release: the release of the engine, as its documents have other fields in others.
    """
    return DocumentKeeper()


def is_kept(document: Mapping[str, Any], encoded: bytes) -> bool:
    """Whether *document* is a kept one that was given as *encoded*."""
    return isinstance(document, KeptDocument) and document.encoded == encoded


def _unpack(packed: bytes, dictionary: bytes) -> bytes:
    return zlib.decompressobj(-_LARGEST_WINDOW, dictionary).decompress(packed)


@lru_cache(maxsize=_DECODED)  # a reader often reads several values of one document
def _decode(packed: bytes, dictionary: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = read_json(_unpack(packed, dictionary))
    return document
