"""Find the Dockerfile in a build context, a plain or compressed tar that arrives in pieces.

Only the Dockerfile is held in memory.  The search ends at a malformed header; the engine refuses
such a context.
"""

import bz2
import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Final

_BLOCK: Final = 512
#: The end of the archive consists of two such blocks; the engine refuses an archive with only one.
_ZEROS: Final = bytes(_BLOCK)
#: Dockerfiles, and header records with long names, of more than this many bytes are ignored.
_LARGEST: Final = 1 << 20
#: Bytes that are decompressed at a time.
_STEP: Final = 1 << 16
#: The search ends after this many decompressed bytes.
_MOST_DECOMPRESSED: Final = 8 << 30
_LONG_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE)
#: Header members that describe the next member, other than by its name.
_OF_NEXT = (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_WITHOUT_CONTENT = (
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
)  # fmt: skip


class DockerfileFinder:
    """Looks for the Dockerfile in a stream.

    Args:
        names: possible names of the Dockerfile in the context; finding the first ends the search.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = [_clean(name) for name in names]
        self._unpack: Callable[[bytes], Iterator[bytes]] | None = None
        self._left = _MOST_DECOMPRESSED
        self._head = bytearray()
        #: The member being read: its use (``""`` for none), its content, and the bytes to come.
        self._keeping = ""
        self._kept = bytearray()
        self._content = self._padding = 0
        self._long_name = ""
        #: Whether the search is over.
        self.is_done = False
        #: Whether a small piece may expand to a large one; true until the first bytes tell.
        self.may_expand = True

    def feed(self, data: bytes) -> list[bytes]:
        """Return the Dockerfiles that *data* completes.

        Args:
            data: the next piece of the stream.  It should be small while ``may_expand``, because
                compressed data can expand a thousandfold.
        """
        found: list[bytes] = []
        try:
            if self._unpack is None:
                self._head += data
                if len(self._head) < 6:
                    return found
                data, self._head = bytes(self._head), bytearray()
                self._unpack = _unpacker(data)
                self.may_expand = self._unpack is not _as_it_is
            for piece in self._unpack(data):
                self._left -= len(piece)
                if self.is_done or self._left < 0:
                    break
                found += self._read(memoryview(piece))
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError):
            self.is_done = True
        if self._left < 0:
            self.is_done = True
        return found

    def _read(self, data: memoryview) -> Iterator[bytes]:
        while data and not self.is_done:
            if self._content:
                taken = data[: self._content]
                if self._keeping:
                    self._kept += taken
                self._content -= len(taken)
                data = data[len(taken) :]
                if not self._content:
                    yield from self._end_member()
            elif self._padding:
                taken = data[: self._padding]
                self._padding -= len(taken)
                data = data[len(taken) :]
            else:
                taken = data[: _BLOCK - len(self._head)]
                self._head += taken
                data = data[len(taken) :]
                if len(self._head) == _BLOCK:
                    self._begin_member(bytes(self._head))
                    self._head.clear()

    def _begin_member(self, block: bytes) -> None:
        if block == _ZEROS:  # the end of the archive; the engine reads no further either
            self.is_done = True
            return
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        self._keeping, self._kept = "", bytearray()
        self._content, self._padding = member.size, -member.size % _BLOCK
        if member.type in _LONG_NAMES:
            self._keeping = "pax" if member.type == tarfile.XHDTYPE else "name"
        elif member.type not in _OF_NEXT:
            self._begin_named(member, _clean(self._long_name or member.name))
            self._long_name = ""
        if member.size > _LARGEST:
            self._keeping = ""

    def _begin_named(self, member: tarfile.TarInfo, name: str) -> None:
        if member.type in _WITHOUT_CONTENT:
            self._content = self._padding = 0
        if name not in self._names:
            return
        if member.issym():
            target = posixpath.join(posixpath.dirname(name), member.linkname)
            self._names.insert(0, _clean(target))
        elif member.isreg():
            self._keeping = name

    def _end_member(self) -> Iterator[bytes]:
        content = bytes(self._kept)
        match self._keeping:
            case "":
                return
            case "name":
                self._long_name = content.rstrip(b"\0").decode("utf-8", "surrogateescape")
            case "pax":
                self._long_name = _pax_path(content) or self._long_name
            case name:
                self.is_done = name == self._names[0]
                yield content


def _clean(name: str) -> str:
    return posixpath.normpath(f"/{name}").lstrip("/")


def _pax_path(content: bytes) -> str:
    """Return the path in pax records such as ``25 path=some/long/name``."""
    while content:
        length = int(content.split(b" ", 1)[0])
        if not 0 < length <= len(content):
            raise tarfile.TarError("a record without an end")
        key, _, value = content[:length].partition(b" ")[2].removesuffix(b"\n").partition(b"=")
        if key == b"path":
            return value.decode("utf-8", "surrogateescape")
        content = content[length:]
    return ""


def _unpacker(beginning: bytes) -> Callable[[bytes], Iterator[bytes]]:
    if beginning.startswith(b"\x1f\x8b"):
        return _gunzip()
    if beginning.startswith(b"BZh"):
        return _decompress(bz2.BZ2Decompressor())
    if beginning.startswith(b"\xfd7zXZ\x00"):
        return _decompress(lzma.LZMADecompressor(memlimit=256 << 20))
    return _as_it_is


def _as_it_is(data: bytes) -> Iterator[bytes]:
    yield data


def _gunzip() -> Callable[[bytes], Iterator[bytes]]:
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def unpack(data: bytes) -> Iterator[bytes]:
        while data:
            yield unpacking.decompress(data, _STEP)
            data = unpacking.unconsumed_tail

    return unpack


def _decompress(
    unpacking: bz2.BZ2Decompressor | lzma.LZMADecompressor,
) -> Callable[[bytes], Iterator[bytes]]:
    def unpack(data: bytes) -> Iterator[bytes]:
        while not unpacking.eof and (data or not unpacking.needs_input):
            yield unpacking.decompress(data, _STEP)
            data = b""

    return unpack
