"""Sends the pieces of an answer without delay."""

from contextlib import suppress
from typing import Protocol

import trio

from swarmcore.http.server.incoming import ClientGone


class Answering(Protocol):
    """An exchange whose answer has begun."""

    async def send_data(self, data: bytes) -> None:
        """Send a piece of the body."""
        ...

    def send_now(self, data: bytes) -> bytes | None:
        """Send a piece without waiting; see ``ServerExchange.send_now``."""
        ...

    async def send_rest(self, rest: bytes) -> None:
        """Send the bytes that ``send_now`` returned."""
        ...


class Sender:
    """Sends the pieces of one answer.

    Args:
        exchange: the exchange; the head of its answer has been sent.
        nursery: ends with the answer; its tasks send pieces to a client that is too slow.
    """

    def __init__(self, exchange: Answering, nursery: trio.Nursery) -> None:
        self._exchange = exchange
        self._nursery = nursery
        #: Set unless a piece that was sent by ``now`` is still on its way.
        self._flushed = trio.Event()
        self._flushed.set()

    async def __call__(self, data: bytes) -> None:
        """Send a piece; wait until the connection has taken it.

        Raises:
            ClientGone: the client closed the connection.
        """
        await self.flush()
        await self._exchange.send_data(data)

    def now(self, data: bytes) -> bool:
        """Send a piece without waiting.

        No task may be sending at the same time.

        Returns:
            Whether it is sent; ``False`` if the client is slow, or the connection uses TLS.
        """
        if not self._flushed.is_set():
            return False
        rest = self._exchange.send_now(data)
        if rest:
            self._flushed = trio.Event()
            self._nursery.start_soon(self._send_rest, rest)
        return rest is not None

    async def flush(self) -> None:
        """Wait until the connection has taken the pieces of ``now``."""
        if not self._flushed.is_set():
            await self._flushed.wait()

    async def _send_rest(self, rest: bytes) -> None:
        with suppress(ClientGone):  # the next send finds it out too
            await self._exchange.send_rest(rest)
        self._flushed.set()
