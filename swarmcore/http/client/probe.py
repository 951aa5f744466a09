"""A small request whose answer is looked for, not waited for: it needs no task and no timer.

For the pings of idle engines.  Whatever is not a short plain answer on an open connection makes a
probe useless; then an ordinary request finds out more.
"""

from collections.abc import Callable

import trio

from swarmcore.http.client.connection import Connection
from swarmcore.http.client.lifeline import EngineStream
from swarmcore.http.plain_heads import read_plain_head
from swarmcore.http.plain_sockets import PromptStream

_MOST_BYTES = 4096
_END_OF_HEAD = b"\r\n\r\n"


class Probe:
    """One request that was sent on a kept connection.

    Args:
        connection: taken out of its pool.
        give_back: returns the connection to the pool.
    """

    def __init__(self, connection: Connection, give_back: Callable[[Connection], None]) -> None:
        self._connection: Connection | None = connection
        self._give_back = give_back
        self._received = b""

    @classmethod
    def send(
        cls, head: bytes, connection: Connection, give_back: Callable[[Connection], None]
    ) -> "Probe":
        """Send a request without a body.

        Args:
            head: the head of the request.
            connection, give_back: see the class.
        """
        probe = cls(connection, give_back)
        if _prompt_stream(connection).send_now(head) < len(head):
            probe.close()
        return probe

    def look(self) -> bool | None:
        """Read what has arrived.

        Returns:
            Whether the answer is complete, and the connection is back in its pool; ``None`` if the
            answer may still come; ``False`` if only another request can tell.
        """
        if self._connection is None:
            return False
        data = _prompt_stream(self._connection).receive_now(_MOST_BYTES)
        if data is None:
            return None
        self._received += data
        is_complete = _is_complete(self._received) if data else False
        if is_complete is False:
            self.close()
        elif is_complete:
            self._keep(self._connection)
        return is_complete

    def _keep(self, connection: Connection) -> None:
        self._connection = None
        if isinstance(connection.stream, EngineStream):
            connection.stream.note_heard()
        connection.next_cycle()
        self._give_back(connection)

    def close(self) -> None:
        """Close the connection, unless the answer was complete."""
        if self._connection is not None:
            close_now(self._connection)
        self._connection = None


def can_probe(connection: Connection) -> bool:
    """Whether a probe can be sent on *connection*: it is no TLS connection and no process."""
    return isinstance(_inner_stream(connection), PromptStream)


def close_now(connection: Connection) -> None:
    """Close a connection on which a probe can be sent."""
    _prompt_stream(connection).close_now()


def _prompt_stream(connection: Connection) -> PromptStream:
    inner = _inner_stream(connection)
    assert isinstance(inner, PromptStream)
    return inner


def _inner_stream(connection: Connection) -> trio.abc.AsyncResource:
    stream = connection.stream
    return stream.transport_stream if isinstance(stream, EngineStream) else stream


def _is_complete(received: bytes) -> bool | None:
    """Whether *received* is one answer; ``None`` if a part is missing, ``False`` if it is more, or
    an answer that is not short and plain."""
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return None if len(received) < _MOST_BYTES else False
    end += len(_END_OF_HEAD)
    head = read_plain_head(received[:end], is_head=False)
    if head is None or head.length is None:
        return False
    missing = head.length - (len(received) - end)
    return None if missing > 0 else missing == 0
