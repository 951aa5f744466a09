"""Events to many listeners: publishing never waits, and a listener that lags is cut off.

Each listener has a bounded queue of its own, so that a slow listener does not slow the others.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from swarmcore.model import Event

log = logging.getLogger(__name__)

#: Classic's limit for one listener.
_QUEUE = 10_000


class Subscription:
    """One listener's stream of events; ends when the listener lags or the manager stops."""

    def __init__(self, limit: int) -> None:
        self._send, self._receive = trio.open_memory_channel[Event](limit)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._receive.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    def offer(self, event: Event) -> bool:
        """Queue *event*; ``False`` when the queue is full."""
        try:
            self._send.send_nowait(event)
        except trio.WouldBlock:
            return False
        return True

    def end(self) -> None:
        """Let the listener read what is queued, then end."""
        self._send.close()

    def close(self) -> None:
        """The listener is gone."""
        self._send.close()
        self._receive.close()


class Broadcast:
    """Hands every published event to every subscription.

    Args:
        limit: events that wait for one listener before it is cut off.
    """

    def __init__(self, limit: int = _QUEUE) -> None:
        self._limit = limit
        self._subscriptions: set[Subscription] = set()
        self._ended = False

    @property
    def listeners(self) -> int:
        """How many subscriptions there are now."""
        return len(self._subscriptions)

    def publish(self, event: Event) -> None:
        """Hand *event* to every listener; never blocks."""
        for subscription in list(self._subscriptions):
            if not subscription.offer(event):
                log.warning("a client of events lags by %d events; its stream ends", self._limit)
                self._subscriptions.discard(subscription)
                subscription.end()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Listen from now on, until the block is left."""
        subscription = Subscription(self._limit)
        if self._ended:
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            subscription.close()

    def end(self) -> None:
        """End every stream, now and later: the manager stops."""
        self._ended = True
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions.clear()
