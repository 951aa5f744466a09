"""One connection to a fake engine: requests, answers and streams, over epoll."""

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from benchmarks.fake_engines.bodies import END_OF_CHUNKS, Pour
from benchmarks.fake_engines.wire import Head, Heads

_RECEIVE_BYTES = 256 * 1024
#: The bytes that are sent at once before other connections get their turn.
_TURN_BYTES = 1 << 20
_HEADS = Heads()
#: The buffer of sinks and echoes; each connection uses it only during its turn.
_BUFFER = memoryview(bytearray(_RECEIVE_BYTES))


class Answers(Protocol):
    """The engine as a connection uses it."""

    def handle(self, head: Head, body: bytes, connection: "Connection") -> None:
        """Answer one request."""
        ...

    def sinks(self, head: Head) -> bool:
        """Return whether the request's body is only counted, because it may be large."""
        ...

    def unfollow(self, connection: "Connection") -> None:
        """Forget a connection that has ended."""
        ...


class Connection:
    """One connection.

    Args:
        sock: the accepted socket.
        engine: answers the requests.
        watch: file descriptor, mask -> waits for those events from now on.
    """

    def __init__(
        self, sock: socket.socket, engine: Answers, watch: Callable[[int, int], None]
    ) -> None:
        self._sock = sock
        self._engine = engine
        self._watch = watch
        self._unread = b""
        self._unsent = b""
        self._pour: Pour | None = None
        self._mask = select.EPOLLIN
        self._sink: Head | None = None
        self._sink_left: int | None = 0
        self._sink_end = b""
        self._is_echo = False
        self.is_open = True

    # ---- events of the socket

    def ready(self, mask: int) -> None:
        """Read and write as far as possible without waiting."""
        try:
            if mask & select.EPOLLOUT:
                self._flush()
            if self.is_open and mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._receive()
        except BlockingIOError:
            pass  # the descriptor was another connection's when the kernel reported it
        except OSError:
            self.close()

    def _receive(self) -> None:
        if self._is_echo:
            self._echo()
        elif self._sink is not None:
            self._drain(self._sink)
        else:
            data = self._sock.recv(_RECEIVE_BYTES)
            if not data:
                self.close()
                return
            self._unread = self._unread + data if self._unread else data
            self._serve()

    def _serve(self) -> None:
        """Answer every request that has arrived completely."""
        while self._unread and self._sink is None and not self._is_echo:
            end = self._unread.find(b"\r\n\r\n")
            if end < 0:
                return
            head = _HEADS.read(self._unread[:end])
            if self._engine.sinks(head):
                self._begin_sink(head, self._unread[end + 4 :])
                return
            size = self._size_of_body(head, end + 4)
            if size is None or len(self._unread) < end + 4 + size:
                return
            body = self._unread[end + 4 : end + 4 + size]
            self._unread = self._unread[end + 4 + size :]
            self._engine.handle(head, body if head.length is not None else _join(body), self)

    def _size_of_body(self, head: Head, start: int) -> int | None:
        """Return the bytes of the body with its chunks' lines; ``None`` while it is incomplete."""
        if head.length is not None:
            return head.length
        end = self._unread.find(END_OF_CHUNKS, start)
        return None if end < 0 else end + len(END_OF_CHUNKS) - start

    # ---- bodies that are only counted

    def _begin_sink(self, head: Head, data: bytes) -> None:
        self._sink, self._unread = head, b""
        self._sink_left, self._sink_end = head.length, b""
        self._count(head, data)

    def _drain(self, head: Head) -> None:
        size = self._sock.recv_into(_BUFFER)
        if not size:
            self.close()
            return
        self._count(head, _BUFFER[:size])

    def _count(self, head: Head, data: bytes | memoryview) -> None:
        """Count *data* of a body; bodies are zeros, so that only the last chunk has this end."""
        if self._sink_left is not None:
            self._sink_left -= len(data)
            done = self._sink_left <= 0
        else:
            self._sink_end = (self._sink_end + bytes(data[-5:]))[-5:]
            done = self._sink_end == END_OF_CHUNKS
        if done:
            self._sink = None
            self._engine.handle(head, b"", self)

    # ---- raw connections

    def begin_echo(self) -> None:
        """Send back all bytes that are received from now on."""
        self._is_echo = True
        if self._unread:
            self.send(self._unread)
            self._unread = b""

    def _echo(self) -> None:
        size = self._sock.recv_into(_BUFFER)
        if not size:
            self._pour = Pour(b"-", 0, closes=True)
            self._flush()
            return
        self.send(bytes(_BUFFER[:size]))
        if self._unsent:
            self._wait_for(select.EPOLLOUT)  # reading continues when that is sent

    # ---- sending

    def send(self, data: bytes) -> None:
        """Send now, or as soon as the client reads."""
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._wait_for(select.EPOLLIN | select.EPOLLOUT)

    def pour(self, pour: Pour) -> None:
        """Send a stream after the bytes that are queued."""
        self._pour = pour
        self._flush()

    def _flush(self) -> None:
        if self._unsent:
            data, self._unsent = self._unsent, b""
            self.send(data)
            if self._unsent or not self.is_open:
                return
        if self._pour is not None and not self._send_pour(self._pour):
            self._wait_for(select.EPOLLIN | select.EPOLLOUT)
            return
        self._wait_for(select.EPOLLIN)

    def _send_pour(self, pour: Pour) -> bool:
        """Send *pour* for one turn; return whether it has ended."""
        budget = _TURN_BYTES
        while budget > 0:
            piece = pour.next()
            if not piece:
                self._pour = None
                if pour.closes:
                    self.close()
                return True
            try:
                sent = self._sock.send(piece)
            except BlockingIOError:
                return False
            pour.sent(sent)
            budget -= sent
        return False

    def _wait_for(self, mask: int) -> None:
        if self.is_open and mask != self._mask:
            self._mask = mask
            self._watch(self._sock.fileno(), mask)

    def close(self) -> None:
        """End both directions."""
        if self.is_open:
            self.is_open = False
            self._engine.unfollow(self)
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
            self._sock.close()


def _join(chunks: bytes) -> bytes:
    """Return a small chunked body without its chunks' lines."""
    body, rest = b"", chunks
    while True:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size, 16)
        if not count:
            return body
        body, rest = body + rest[:count], rest[count + 2 :]
