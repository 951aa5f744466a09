"""Reads the body of a chunked message fast, as long as it is plain.  Pure.

Engines send each line of ``docker logs`` as a chunk of its own, and h11 spends some 15 µs on a
chunk; here a small one costs 0.2 µs.  What is not plain is left to h11: a header with an extension,
a malformed one, the last chunk with its trailers.
"""

_Pieces = list[bytes | memoryview]

_BREAK = b"\r\n"
_DIGITS = b"0123456789abcdefABCDEF"
#: Eight digits and the line break: a longer header is not plain.
_HEADER_BYTES = 10
#: The header of a small chunk, as engines write it -> its size.
_SMALL = {b"%x" % size: size for size in range(1, 1024)}


class MalformedChunk(ValueError):
    """A chunk does not end where its header says."""


class PlainChunks:
    """The chunks of one body.

    Attributes:
        rest: what h11 has to read, from the header of a chunk on; ``None`` while all is plain.
            What is received later is for h11 too.
    """

    def __init__(self) -> None:
        self.rest: bytes | None = None
        #: Bytes to come of the current chunk, its line break included; 0 before a header.
        self._left = 0
        #: The beginning of a header.
        self._held = b""
        #: Most small chunks have no line break in their data.
        self._splits = True

    def feed(self, data: bytes) -> bytes:
        """The data of all chunks in *data*, also of a chunk that has not come whole.

        Args:
            data: what was received after that which was fed before.

        Raises:
            MalformedChunk: one of them does not end where its header says.
        """
        if self._held:
            data, self._held = self._held + data, b""
        pieces: _Pieces = []
        at = self._go_on(data, 0, pieces) if self._left else 0
        if self._splits:
            at = self._take_small_ones(data, at, pieces)
        view = memoryview(data)
        while at < len(data):
            end = data.find(_BREAK, at, at + _HEADER_BYTES)
            size = _size(data[at:end]) if end > at else 0
            start, stop = end + len(_BREAK), end + len(_BREAK) + size
            if size and data.startswith(_BREAK, stop):
                pieces.append(view[start:stop])
                at = stop + len(_BREAK)
            else:
                at = self._take(data, at, pieces)
        return b"".join(pieces)

    def _take_small_ones(self, data: bytes, at: int, pieces: _Pieces) -> int:
        """Take whole small chunks; returns where the first other one begins.

        Cutting at every line break is right as long as each odd piece is as long as the piece
        before it says: by that its line break is the one that ends the chunk.
        """
        end = data.find(_BREAK, at, at + _HEADER_BYTES)
        if data[at:end] not in _SMALL:
            return at
        lines = data[at:].split(_BREAK)
        whole = (len(lines) - 1) // 2
        sizes = [*map(_SMALL.get, lines[0 : 2 * whole : 2])]
        chunks = lines[1 : 2 * whole : 2]
        lengths = [*map(len, chunks)]
        if sizes != lengths:
            good = next(i for i in range(whole) if sizes[i] != lengths[i])
            self._splits = 2 * good > whole
            del lines[2 * good :], chunks[good:]
            whole = good
        pieces += chunks
        return at + sum(map(len, lines[: 2 * whole])) + 2 * len(_BREAK) * whole

    def _take(self, data: bytes, at: int, pieces: _Pieces) -> int:
        """Take the chunk whose header begins at *at*; returns where the next one begins."""
        end = data.find(_BREAK, at, at + _HEADER_BYTES)
        if end < 0 and len(data) - at < _HEADER_BYTES:
            self._held = data[at:]
            return len(data)
        size = 0 if end < 0 else _size(data[at:end])
        if not size:
            self.rest = data[at:]
            return len(data)
        self._left = size + len(_BREAK)
        return self._go_on(data, end + len(_BREAK), pieces)

    def _go_on(self, data: bytes, at: int, pieces: _Pieces) -> int:
        """Take what is left of the current chunk, as far as it has come."""
        if self._left > len(_BREAK):
            piece = data[at : at + self._left - len(_BREAK)]
            pieces.append(piece)
            at += len(piece)
            self._left -= len(piece)
        if self._left <= len(_BREAK):
            expected = _BREAK[-self._left :]
            found = data[at : at + self._left]
            if not expected.startswith(found):
                raise MalformedChunk(f"malformed chunk footer: {found!r} (expected {expected!r})")
            at += len(found)
            self._left -= len(found)
        return at


def _size(header: bytes) -> int:
    """The size in a plain header; 0 for the last chunk, and for a header that is not plain."""
    return _SMALL.get(header) or (int(header, 16) if header and not header.strip(_DIGITS) else 0)
