"""Distributes events to many listeners.

Publishing never waits.  Each listener has a bounded queue of its own; a listener whose queue is
full is disconnected, so that it does not delay the others.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from swarmcore.model import Event

log = logging.getLogger(__name__)

#: Maximum number of queued events per listener; Swarm classic's limit.
_QUEUE = 10_000
#: Maximum size of the lines of these events; each may have half a MiB of labels.
_QUEUE_BYTES = 32 << 20
#: How long a listener that lags may still take the events that are queued for it.
_LAST_SECONDS = 60.0


class Subscription:
    """One listener's stream of events; ends if the listener is too slow or the manager stops.

    Attributes:
        block: the block in which the listener uses it.
    """

    def __init__(self, limit: int) -> None:
        self.block = trio.CancelScope()
        #: Size of the queued events.
        self._bytes = 0
        self._send, self._receive = trio.open_memory_channel[Event](limit)
        self._take: Callable[[Event], bool] | None = None
        #: The listener waits for an event, and none is queued.
        self._waits = False

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        self._waits = not self._receive.statistics().current_buffer_used
        try:
            event = await self._receive.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None
        finally:
            self._waits = False
        self._bytes -= event.size
        return event

    def deliver_to(self, take: Callable[[Event], bool]) -> None:
        """See ``protocols.EventStream``."""
        self._take = take

    def offer(self, event: Event) -> bool:
        """Hand *event* over or queue it; return ``False`` if the queue is full."""
        if self._waits and self._take is not None and self._take(event):
            return True
        self._waits = False  # what comes next must not overtake this event
        if self._bytes + event.size > _QUEUE_BYTES:
            return False
        try:
            self._send.send_nowait(event)
        except trio.WouldBlock:
            return False
        self._bytes += event.size
        return True

    def give_up(self) -> None:
        """End the stream of a listener that lags, and soon also its block."""
        log.warning(
            "a client of events lags by %d events; its stream ends",
            self._receive.statistics().current_buffer_used,
        )
        self.end()
        self.block.deadline = trio.current_time() + _LAST_SECONDS

    def end(self) -> None:
        """End the stream after the events that are already queued."""
        self._send.close()

    def close(self) -> None:
        """Close the stream at once: the listener has left."""
        self._send.close()
        self._receive.close()


class Broadcast:
    """Delivers every published event to every subscription.

    Args:
        limit: number of queued events at which a listener is disconnected.
    """

    def __init__(self, limit: int = _QUEUE) -> None:
        self._limit = limit
        self._subscriptions: set[Subscription] = set()
        self._ended = False

    @property
    def listeners(self) -> int:
        """The number of current subscriptions."""
        return len(self._subscriptions)

    def publish(self, event: Event) -> None:
        """Deliver *event* to every listener without waiting."""
        for subscription in list(self._subscriptions):
            if not subscription.offer(event):
                self._subscriptions.discard(subscription)
                subscription.give_up()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Subscribe for as long as the block runs.

        The block is cancelled, and left without an error, a minute after the stream of a listener
        that lags has ended: it may be waiting to send to a client that takes nothing.
        """
        subscription = Subscription(self._limit)
        if self._ended:
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        try:
            with subscription.block:
                yield subscription
        finally:
            self._subscriptions.discard(subscription)
            subscription.close()

    def end(self) -> None:
        """End all current and future subscriptions: the manager stops."""
        self._ended = True
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions.clear()
