"""An engine's events: the last 256 of them, and those who follow.

As in a real engine a follower that does not keep up loses events and is not told.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import trio

from swarmcore.testing.documents.moments import NANO

#: How many events an engine remembers for ``since``.
_REMEMBERED = 256
#: How far a follower may lag behind.
_LAG = 1024

#: Object kinds whose events carry ``status`` and ``id`` at the top as well, below API 1.52.
_DOUBLED = frozenset({"container", "image"})


class EventLog:
    """Keeps events and hands them to followers.

    Args:
        clock: Unix nanoseconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._last = 0
        self._remembered: deque[Mapping[str, Any]] = deque(maxlen=_REMEMBERED)
        self._followers: set[trio.MemorySendChannel[Mapping[str, Any]]] = set()

    @property
    def followers(self) -> int:
        """How many follow now."""
        return len(self._followers)

    @property
    def remembered(self) -> list[Mapping[str, Any]]:
        """The newest events, oldest first."""
        return list(self._remembered)

    def emit(self, kind: str, action: str, id: str, attributes: Mapping[str, str]) -> None:
        """Something happened.

        Args:
            kind: container, image, network, volume, daemon.
            action: with its suffix.
            id: the object's.
            attributes: the actor's.
        """
        # No two at one moment: a client tells events apart, and orders them, by this number.
        time_nano = self._last = max(self._clock(), self._last + 1)
        event: dict[str, Any] = {"status": action, "id": id} if kind in _DOUBLED else {}
        if kind == "container":
            event["from"] = attributes.get("image", "")
        event |= {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": id, "Attributes": dict(attributes)},
            "scope": "local",
            "time": time_nano // NANO,
            "timeNano": time_nano,
        }
        self._remembered.append(event)
        for follower in tuple(self._followers):
            try:
                follower.send_nowait(event)
            except trio.WouldBlock:
                pass  # lost to this follower
            except trio.BrokenResourceError:
                self._followers.discard(follower)

    @contextmanager
    def follow(self) -> Iterator[trio.MemoryReceiveChannel[Mapping[str, Any]]]:
        """Get every event from now on."""
        send, receive = trio.open_memory_channel[Mapping[str, Any]](_LAG)
        self._followers.add(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._followers.discard(send)
