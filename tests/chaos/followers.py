"""Clients that follow events, again after each end of their stream."""

import contextlib
import http.client
import json
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.clients import TOKEN
from tests.chaos.history import History
from tests.chaos.ledger import Ledger
from tests.chaos.weather import Weather, is_drain
from tests.chaos.world import World

#: How long an event may be on its way while nothing is disturbed.
LATE_SECONDS = 5.0
#: Longest silence of a stream; longer than any fault.
_SILENCE_SECONDS = 60.0


@dataclass(slots=True)
class Stream:
    """One stream of events.

    Attributes:
        began, ended: when it was open, in seconds after the start of the run.
        created: the tokens of containers whose creates it reported.
        seen: what identifies each event.
    """

    began: float
    ended: float = float("inf")
    created: set[str] = field(default_factory=set)
    seen: set[tuple[Any, ...]] = field(default_factory=set)


class Follower:
    """Follows the events of one manager in a thread.

    Args:
        manager: the manager.
        world: has its address.
        history: gets violations and counts.
        stopping: ends the follower.
    """

    def __init__(
        self, manager: str, world: World, history: History, stopping: threading.Event
    ) -> None:
        self._manager = manager
        self._world = world
        self._history = history
        self._stopping = stopping
        self._streams: list[Stream] = []
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"f-{manager}", daemon=True)

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    def join(self) -> None:
        """End the stream and wait for that; ``stopping`` must be set."""
        while self._thread.is_alive():
            open_socket = self._socket
            if open_socket is not None:
                with contextlib.suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(0.2)

    def check(self, ledger: Ledger, weather: Weather) -> None:
        """Check that a stream that was open reported each create that nothing disturbed."""
        for entry in ledger.entries():
            at = entry.created_at
            parts = weather.disturbed(at - LATE_SECONDS, at + LATE_SECONDS)
            if not at or not all(is_drain(part) for part in parts):
                continue
            for stream in self._streams:
                is_open = stream.began < at - LATE_SECONDS and at + LATE_SECONDS < stream.ended
                if is_open and entry.token not in stream.created:
                    self._history.violate(
                        f"{self._manager} sent no event of the create of {entry.token}",
                        entry.token,
                    )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except Exception as error:  # a thread's exception would be lost
                self._history.violate(f"a follower of {self._manager} ended: {error!r}")
                return
            self._stopping.wait(0.5)

    def _follow(self) -> None:
        connection = http.client.HTTPConnection(
            self._world.address(self._manager), timeout=_SILENCE_SECONDS
        )
        stream = Stream(self._history.now())
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/events")
                self._socket = connection.sock
                answer = connection.getresponse()
                if answer.status != 200:
                    return
                stream.began = self._history.now()
                self._streams.append(stream)
                while line := answer.readline():
                    self._note(json.loads(line), stream)
            except (OSError, ValueError, http.client.HTTPException) as error:
                self._history.add("events", f"{self._manager} stream ended", result=repr(error))
        stream.ended = self._history.now()
        self._history.count("event streams that ended")

    def _note(self, event: dict[str, Any], stream: Stream) -> None:
        self._history.count("events")
        key = (event["Type"], event["Action"], event["Actor"]["ID"], event["timeNano"])
        if key in stream.seen:
            self._history.violate(f"{self._manager} sent an event twice: {event}")
        stream.seen.add(key)
        if event["Type"] == "container" and event["Action"] == "create":
            stream.created.add(event["Actor"]["Attributes"].get(TOKEN, ""))
