"""A container's files, in memory, for ``docker cp``, ``diff`` and ``export``.

Every container starts with the same small tree and stores only its changes.
"""

import base64
import copy
import io
import json
import posixpath
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from swarmcore.errors import BadRequest
from swarmcore.testing.documents.moments import NANO, timestamp

#: Go's file mode bits, which differ from Unix's above the permission bits.
_GO_DIRECTORY = 1 << 31
_GO_SYMLINK = 1 << 27

_FOLDERS = ("bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file, a folder or a link.

    Attributes:
        info: its header in a tar archive; the name in it is not used.
        data: the content of a file.
    """

    info: tarfile.TarInfo
    data: bytes = b""


def _entry(kind: bytes, mode: int, data: bytes = b"", target: str = "") -> FileEntry:
    info = tarfile.TarInfo()
    info.type, info.mode, info.size, info.linkname = kind, mode, len(data), target
    return FileEntry(info, data)


def _image_files() -> dict[str, FileEntry]:
    files = {f"/{name}": _entry(tarfile.DIRTYPE, 0o755) for name in _FOLDERS}
    files["/"] = _entry(tarfile.DIRTYPE, 0o755)
    files["/bin/busybox"] = _entry(tarfile.REGTYPE, 0o755, b"\x7fELF")
    files["/bin/sh"] = _entry(tarfile.SYMTYPE, 0o777, target="/bin/busybox")
    files["/etc/passwd"] = _entry(tarfile.REGTYPE, 0o644, b"root:x:0:0:root:/root:/bin/sh\n")
    return files


_IMAGE = _image_files()


class FileTree:
    """The image's files, and the container's changes to them."""

    def __init__(self) -> None:
        self._own: dict[str, FileEntry] = {}

    @property
    def changes(self) -> list[dict[str, object]]:
        """Return ``GET /containers/{id}/changes``: kind 0 is a change, 1 an addition."""
        changed = set(self._own)
        for path in self._own:
            while (path := posixpath.dirname(path)) != "/":
                changed.add(path)
        return [{"Path": path, "Kind": int(path not in _IMAGE)} for path in sorted(changed)]

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file, and make the folders above it."""
        self._put(_clean(path), _entry(tarfile.REGTYPE, mode, data))

    def read(self, path: str) -> bytes:
        """Return the content of a file; links are followed.

        Raises:
            FileNotFoundError: there is no such file.
        """
        entry = self._find(path, follow=True)
        if not entry.info.isreg():
            raise FileNotFoundError(path)
        return entry.data

    def names(self, path: str) -> Sequence[str]:
        """Return the names in a folder.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        if not self._find(path).info.isdir():
            return [path]
        folder = _clean(path).rstrip("/") + "/"
        inside = (found.removeprefix(folder) for found in self._paths(folder))
        return sorted({name.partition("/")[0] for name in inside if name})

    def stat(self, path: str) -> str:
        """Return ``X-Docker-Container-Path-Stat``: base64 of JSON.

        Raises:
            FileNotFoundError: the path does not exist.
        """
        info = self._find(path).info
        kind = _GO_DIRECTORY if info.isdir() else _GO_SYMLINK if info.issym() else 0
        told = {
            "name": posixpath.basename(_clean(path)) or "/",
            "size": len(info.linkname) if info.issym() else info.size or 4096 * info.isdir(),
            "mode": kind | info.mode,
            "mtime": timestamp(int(info.mtime) * NANO) if info.mtime else "1970-01-01T00:00:00Z",
            "linkTarget": info.linkname,
        }
        return base64.b64encode(json.dumps(told).encode()).decode()

    def archive(self, path: str) -> bytes:
        """Return a tar of a file or of a whole folder; its names begin with the end of *path*.

        Raises:
            FileNotFoundError: the path does not exist.
        """
        top = _clean(path)
        self._find(top)
        above = posixpath.dirname(top).rstrip("/") + "/"
        inside = [found for found in self._paths(top.rstrip("/") + "/") if found != top]
        return self._tar({found: found.removeprefix(above) or "." for found in [top, *inside]})

    def export(self) -> bytes:
        """Return a tar of all files."""
        return self._tar({path: path[1:] for path in self._paths("/") if path != "/"})

    def extract(self, path: str, archive: bytes) -> None:
        """Unpack a tar into a folder.

        Raises:
            FileNotFoundError: there is no such folder.
            BadRequest: *path* is not a folder, or *archive* is not a tar.
        """
        folder = self._find(path, follow=True)
        if not folder.info.isdir():
            raise BadRequest("extraction point is not a directory")
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isreg() else None
                    entry = FileEntry(member, content.read() if content else b"")
                    self._put(_clean(posixpath.join(path, member.name)), entry)
        except tarfile.TarError as error:
            raise BadRequest(f"cannot read the archive: {error}") from None

    def _find(self, path: str, *, follow: bool = False) -> FileEntry:
        clean = _clean(path)
        entry = self._own.get(clean) or _IMAGE.get(clean)
        if entry is None:
            raise FileNotFoundError(path)
        if follow and entry.info.issym():
            return self._find(posixpath.join(posixpath.dirname(clean), entry.info.linkname))
        return entry

    def _put(self, path: str, entry: FileEntry) -> None:
        self._own[path] = entry
        while (path := posixpath.dirname(path)) not in _IMAGE and path not in self._own:
            self._own[path] = _entry(tarfile.DIRTYPE, 0o755)

    def _paths(self, prefix: str) -> list[str]:
        return sorted(path for path in {**_IMAGE, **self._own} if path.startswith(prefix))

    def _tar(self, names: dict[str, str]) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path, name in names.items():
                entry = self._find(path)
                info = copy.copy(entry.info)  # Debian 12's Python has no TarInfo.replace yet
                info.name = name
                tar.addfile(info, io.BytesIO(entry.data))
        return out.getvalue()


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))
