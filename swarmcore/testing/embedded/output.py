"""The streams of a process: its standard input, the clients attached to it, and its log.

A client that does not read blocks the process that writes, as a real engine's attach does.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

STDOUT, STDERR = 1, 2

#: The limit of a log, for containers that write endlessly.
_LOG_BYTES = 16 << 20
_PENDING_PIECES = 16


def frame(stream: int, data: bytes) -> bytes:
    """Frame output in Docker's multiplexed format.

    A frame is the stream's number, three zeros, the length in four bytes, and the data.
    """
    return bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's output.

    Attributes:
        time_nano: Unix nanoseconds.
        stream: 1 (stdout) or 2 (stderr).
        data: the line with its line break, if it has one.
    """

    time_nano: int
    stream: int
    data: bytes


class ContainerLog:
    """The lines of a log, oldest first; the oldest lines are dropped at the size limit.

    Args:
        clock: returns Unix nanoseconds.
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
        """Return the lines from *position* on, without dropped lines."""
        return list(self._lines)[max(0, position - self._dropped) :]

    def write(self, stream: int, data: bytes) -> None:
        """Add output, line by line."""
        *lines, rest = (self._partial[stream] + data).split(b"\n")
        self._partial[stream] = rest
        for line in lines:
            self._add(stream, line + b"\n")
        self.wake()

    def flush(self) -> None:
        """Add the last lines even without a line break, because the process has ended."""
        for stream, rest in self._partial.items():
            if rest:
                self._add(stream, rest)
        self._partial = {STDOUT: b"", STDERR: b""}
        self.wake()

    def wake(self) -> None:
        """Wake the clients that follow the log."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait_changed(self) -> None:
        """Wait for new lines, or for the end or the removal of the container."""
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
        """Return a piece of standard input; ``b""`` at its end."""
        try:
            return await self._stdin_out.receive()
        except trio.EndOfChannel:
            return b""

    async def write(self, stream: int, data: bytes) -> None:
        """Send *data* to every attached client."""
        for watcher in tuple(self._watchers):
            try:
                await watcher.send((stream, data))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._watchers.discard(watcher)

    def close(self) -> None:
        """End the streams, because the process has ended."""
        self._stdin_in.close()
        self._stdin_out.close()
        for watcher in self._watchers:
            watcher.close()
        self._watchers.clear()

    # ---- the clients' side

    async def feed(self, data: bytes) -> None:
        """Send *data* to standard input; it is dropped if the process has ended."""
        try:
            await self._stdin_in.send(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()

    def end_input(self) -> None:
        """End standard input."""
        self._stdin_in.close()

    @contextmanager
    def watch(self) -> Iterator[trio.MemoryReceiveChannel[tuple[int, bytes]]]:
        """Receive the output from now on, as pairs of stream and data."""
        send, receive = trio.open_memory_channel[tuple[int, bytes]](_PENDING_PIECES)
        self._watchers.add(send)
        try:
            with receive:
                yield receive
        finally:
            self._watchers.discard(send)
            send.close()
