"""``file://PATH``: engines from a file, read again when it changes.

Changes are detected by modification time, inode and size, which also works for a replaced file and
needs no kernel interface.  Files are read in a thread, as a network file system may hang.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import trio

from swarmcore import hookimpl
from swarmcore.classic_compat import is_classic
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoverySink, DiscoveryURI
from swarmcore.stores import Patience
from swarmcore.threads import in_thread
from swarmcore_discovery_file.lines import parse_lines

_LONGEST_PERIOD_SECONDS = 1.0

#: A program that truncates and rewrites the file gets this time before the file is read.
_SETTLE_SECONDS = 0.05

#: After this time, a list that lacks engines is reported; writing a file takes less.
_TELL_SECONDS = 5.0

#: Size limit; a list of all hosts of a /16 with labels needs a tenth of it.
_LARGEST_BYTES = 64 * 1024 * 1024

T = TypeVar("T")


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery; reads the file once, so that a wrong path is an error at the start.

    With ``swarm.compat=classic`` the file need not exist yet, as in Swarm classic.
    """
    if uri.scheme != "file":
        return None
    if not uri.rest:
        raise ConfigError("file:// needs a path; write file:///PATH with one HOST:PORT a line")
    path = Path(uri.rest)
    period_seconds = min(_LONGEST_PERIOD_SECONDS, options.heartbeat_seconds)
    discovery = FileDiscovery(path, period_seconds, options.hold_seconds)
    try:
        read(path)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and is_classic(options.options):
            return discovery
        raise ConfigError(
            f"{uri}: cannot read the list of engines: {reason(error)}; "
            "write one HOST:PORT a line into that file"
        ) from None
    return discovery


class Look(NamedTuple):
    """Properties that change when a file changes."""

    modified_ns: int
    inode: int
    size: int


class FileDiscovery:
    """Reports the entries of a file, now and after each change.

    Args:
        path: path of the file.
        period_seconds: interval of checking the file.
        hold_seconds: how long engines are kept that are missing in a file written in place.
    """

    from_operator = True

    def __init__(self, path: Path, period_seconds: float, hold_seconds: float = 0.0) -> None:
        self._path = path
        self._period_seconds = period_seconds
        self._hold_seconds = hold_seconds

    async def watch(self, sink: DiscoverySink) -> None:
        """Report until cancelled; a lasting error is reported once."""
        async with trio.open_nursery() as nursery:
            patience = Patience(
                sink,
                nursery,
                self._hold_seconds,
                tell_seconds=_TELL_SECONDS,
                source=str(self._path),
            )
            await self._follow(sink, patience)

    async def _follow(self, sink: DiscoverySink, patience: Patience) -> None:
        seen: Look | str | None = None
        while True:
            try:
                if await _in_thread(lambda: look(self._path)) != seen:
                    if seen is not None:
                        await trio.sleep(_SETTLE_SECONDS)
                    now, text = await _in_thread(lambda: read(self._path))
                    is_whole, seen = _is_replaced(seen, now), now
                    entries, problems = parse_lines(text)
                    told = [f"{self._path} {problem}" for problem in problems]
                    patience.report(entries, told, whole=is_whole)
            except (OSError, ValueError) as error:
                patience.stop_doubting()
                if seen != reason(error):
                    seen = reason(error)
                    sink.failed(f"{self._path}: {seen}; the last good list stays in force")
            await trio.sleep(self._period_seconds)


def _is_replaced(before: Look | str | None, now: Look) -> bool:
    """Whether the file was replaced by another one, which is therefore complete.

    A file that is written in place may be read in the middle of that.
    """
    return isinstance(before, Look) and before.inode != now.inode


def look(path: Path) -> Look:
    """The current properties of the file at *path*.

    Raises:
        OSError: they cannot be read.
    """
    found = path.stat()
    return Look(found.st_mtime_ns, found.st_ino, found.st_size)


def read(path: Path) -> tuple[Look, str]:
    """The file's text, and its properties before it was read, so that later changes are noticed.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a text file of reasonable size.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a regular file")
        content = file.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        raise ValueError(f"larger than {_LARGEST_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text at byte {error.start}") from None
    return Look(found.st_mtime_ns, found.st_ino, found.st_size), text


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer.
    return os.open(path, flags | os.O_NONBLOCK)


def reason(error: OSError | ValueError) -> str:
    """The system's message without number and path, or our own."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


async def _in_thread(work: Callable[[], T]) -> T:
    # Abandoned on cancellation, as a hung file system must not keep the manager running.
    return await in_thread(work, abandon_on_cancel=True)
