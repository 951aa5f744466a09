"""An engine's events: the last 256 of them, and the clients that follow new ones.

As in a real engine, a client that is too slow loses events without notice.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import trio

from swarmcore.testing.documents.moments import NANO

#: The number of events that an engine remembers for ``since``.
_REMEMBERED = 256
#: The number of events that may wait for a client.
_LAG = 1024

#: Kinds of objects whose events repeat ``status`` and ``id`` at the top level, below API 1.52.
_DOUBLED = frozenset({"container", "image"})


class EventLog:
    """Remembers events and delivers them to followers.

    Args:
        clock: returns Unix nanoseconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._last = 0
        self._remembered: deque[Mapping[str, Any]] = deque(maxlen=_REMEMBERED)
        self._followers: set[trio.MemorySendChannel[Mapping[str, Any]]] = set()

    @property
    def followers(self) -> int:
        """The number of followers."""
        return len(self._followers)

    @property
    def remembered(self) -> list[Mapping[str, Any]]:
        """The newest events, oldest first."""
        return list(self._remembered)

    def emit(self, kind: str, action: str, id: str, attributes: Mapping[str, str]) -> None:
        """Record an event and send it to all followers.

        Args:
            kind: container, image, network, volume or daemon.
            action: the action with its suffix.
            id: the object's id.
            attributes: the attributes of the actor.
        """
        # Times are unique, because clients identify and order events by them.
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
                pass  # this follower loses the event
            except trio.BrokenResourceError:
                self._followers.discard(follower)

    @contextmanager
    def follow(self) -> Iterator[trio.MemoryReceiveChannel[Mapping[str, Any]]]:
        """Receive every event from now on."""
        send, receive = trio.open_memory_channel[Mapping[str, Any]](_LAG)
        self._followers.add(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._followers.discard(send)
