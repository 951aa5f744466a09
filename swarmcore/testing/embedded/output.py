"""What a process reads and writes: its standard input, those who watch, and its log.

A watcher that does not read stops the process that writes, as a real engine's attach does.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

STDOUT, STDERR = 1, 2

#: A container that writes for ever must not fill the memory of a test.
_LOG_BYTES = 16 << 20
_PENDING_PIECES = 16


def frame(stream: int, data: bytes) -> bytes:
    """Docker's multiplexed form: stream, three zeros, length in four bytes, then the data."""
    return bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a container wrote.

    Attributes:
        time_nano: Unix nanoseconds.
        stream: 1 or 2.
        data: with its line break, where it had one.
    """

    time_nano: int
    stream: int
    data: bytes


class ContainerLog:
    """Lines, oldest first; the oldest are dropped when there are too many.

    Args:
        clock: Unix nanoseconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lines: deque[LogLine] = deque()
        self._partial = {STDOUT: b"", STDERR: b""}
        self._bytes = 0
        self._dropped = 0
        self._changed = trio.Event()

    @property
    def end(self) -> int:
        """The position after the newest line."""
        return self._dropped + len(self._lines)

    def read(self, position: int = 0) -> list[LogLine]:
        """The lines from *position* on that are still there."""
        return list(self._lines)[max(0, position - self._dropped) :]

    def write(self, stream: int, data: bytes) -> None:
        """Keep what a process wrote, line by line."""
        *lines, rest = (self._partial[stream] + data).split(b"\n")
        self._partial[stream] = rest
        for line in lines:
            self._add(stream, line + b"\n")
        self.wake()

    def flush(self) -> None:
        """Keep what has no line break: the process has ended."""
        for stream, rest in self._partial.items():
            if rest:
                self._add(stream, rest)
        self._partial = {STDOUT: b"", STDERR: b""}
        self.wake()

    def wake(self) -> None:
        """Let followers look again."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait_changed(self) -> None:
        """Return when there is something new, or the container has ended or gone."""
        await self._changed.wait()

    def _add(self, stream: int, data: bytes) -> None:
        self._lines.append(LogLine(self._clock(), stream, data))
        self._bytes += len(data)
        while self._bytes > _LOG_BYTES and len(self._lines) > 1:
            self._bytes -= len(self._lines.popleft().data)
            self._dropped += 1


class Pipes:
    """The standard streams of one process, from before its start to its end."""

    def __init__(self) -> None:
        self._stdin_in, self._stdin_out = trio.open_memory_channel[bytes](_PENDING_PIECES)
        self._watchers: set[trio.MemorySendChannel[tuple[int, bytes]]] = set()

    # ---- the process's side

    async def read(self) -> bytes:
        """A piece of standard input, ``b""`` at its end."""
        try:
            return await self._stdin_out.receive()
        except trio.EndOfChannel:
            return b""

    async def write(self, stream: int, data: bytes) -> None:
        """Give *data* to every watcher."""
        for watcher in tuple(self._watchers):
            try:
                await watcher.send((stream, data))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._watchers.discard(watcher)

    def close(self) -> None:
        """The process has ended: watchers see the end of its output."""
        self._stdin_in.close()
        self._stdin_out.close()
        for watcher in self._watchers:
            watcher.close()
        self._watchers.clear()

    # ---- the clients' side

    async def feed(self, data: bytes) -> None:
        """Send *data* to standard input; dropped when nobody can read it any more."""
        try:
            await self._stdin_in.send(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()

    def end_input(self) -> None:
        """Standard input ends."""
        self._stdin_in.close()

    @contextmanager
    def watch(self) -> Iterator[trio.MemoryReceiveChannel[tuple[int, bytes]]]:
        """Get the output from now on, as pairs of stream and data."""
        send, receive = trio.open_memory_channel[tuple[int, bytes]](_PENDING_PIECES)
        self._watchers.add(send)
        try:
            with receive:
                yield receive
        finally:
            self._watchers.discard(send)
            send.close()
