"""How long a session with a store is certainly alive, by our own clock.

A leader that cannot reach its store, or was stopped for a while, must know by itself that it leads
no more, before the store lets another lead: the store counts from the moment at which it heard of
us, we count from the moment before we asked, and stop earlier by a margin.
"""

from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio

from swarmcore.stores.following import StoreError

#: Of the time to live: kept as a margin; between renewals, which is also as long as one may take;
#: before a renewal that failed is tried again.  An outage of 0.55 of it is survived.
_MARGIN = 1 / 5
_RENEW = 1 / 4
_RETRY = 1 / 20


class SessionLost(StoreError):
    """A session ended, or is too close to its end to be used."""


class Guard:
    """Keeps one session alive, and knows until when it is.

    Args:
        ttl_seconds: as the store granted it.
        asked: trio's time just before the session was asked for.
    """

    def __init__(self, ttl_seconds: float, asked: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._renewed = asked

    @property
    def until(self) -> float:
        """When the session must no longer be used, in trio's time."""
        return self._renewed + self._ttl_seconds * (1 - _MARGIN)

    @property
    def retry_seconds(self) -> float:
        """How long to wait before asking a store again that did not answer."""
        return self._ttl_seconds * _RETRY

    def check(self) -> None:
        """Raise what ``expire`` raises, if the time has come."""
        if trio.current_time() >= self.until:
            raise SessionLost(f"the store was out of reach for most of {self._ttl_seconds:g} s")

    async def expire(self) -> NoReturn:
        """Wait until the session must no longer be used.

        Raises:
            SessionLost: always.
        """
        while True:
            await trio.sleep_until(self.until)
            self.check()

    async def renew(self, renew: Callable[[], Awaitable[bool]]) -> NoReturn:
        """Renew the session for as long as that is possible.

        Args:
            renew: whether the session lives on; raises ``StoreError``, bare or in a group, when
                that is not known.

        Raises:
            SessionLost: the store says that it has ended.
        """
        pause = self._ttl_seconds * _RENEW
        while True:
            await trio.sleep(pause)
            asked = trio.current_time()
            alive = await self._ask(renew)
            if alive is False:
                raise SessionLost("the store has ended our session")
            if alive:
                self._renewed = asked
            pause = self._ttl_seconds * (_RENEW if alive else _RETRY)

    async def _ask(self, renew: Callable[[], Awaitable[bool]]) -> bool | None:
        """Whether the session lives on; ``None`` when that is not known."""
        alive = None
        with trio.move_on_after(self._ttl_seconds * _RENEW):
            try:
                alive = await renew()
            except* SessionLost:
                alive = False
            except* StoreError:
                pass
        return alive
