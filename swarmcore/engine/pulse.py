"""One timer for the pings of all engines that are silent and expected to answer.

A ping of its own task takes a timer, a cancel scope, two wake-ups and a wait for the socket: 130 µs
of CPU.  This one sends the pings of many engines in one step and looks for their answers in
another, which takes 40 µs for each.  An engine that cannot be pinged in this way, or that has not
answered, is handed back to its own task, which pings it with patience and a new connection.
"""

from heapq import heappop, heappush
from math import inf
from typing import Protocol

import trio

from swarmcore.engine.intervals import Pace
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import Probe
from swarmcore.node import Node

#: The timer's interval in seconds: pings that are due within it are sent together.
_BEAT_SECONDS = 0.25
#: After this time most answers have arrived, and their connections can be used for requests again.
_ANSWER_SECONDS = 0.02


class Pinged(Protocol):
    """What the pulse uses of an engine."""

    @property
    def node(self) -> Node:
        """The engine's node."""
        ...

    @property
    def label(self) -> str:
        """The engine's name or address, for error texts."""
        ...

    @property
    def last_contact(self) -> float:
        """trio time at which the engine last sent something."""
        ...

    def probe(self) -> Probe | None:
        """Send a ping whose answer is not waited for; ``None`` if that is not possible now."""
        ...

    def contacted(self) -> None:
        """Record an answer."""
        ...

    def lost_contact(self, error: EngineError) -> None:
        """Record that a ping was not answered."""
        ...


class _Patient:
    """One engine whose silence is watched.

    Attributes:
        doubt: set when the engine must be pinged by its own task.
        probe: the ping that is under way.
        sent_at: trio time of *probe*.
    """

    def __init__(self, engine: Pinged, pace: Pace) -> None:
        self.engine = engine
        self.pace = pace
        self.doubt = trio.Event()
        self.probe: Probe | None = None
        self.sent_at = 0.0

    def begin(self, now: float) -> bool:
        """Send a ping, or doubt the engine; return whether a ping is under way."""
        self.probe = None if self.engine.node.failures else self.engine.probe()
        self.sent_at = now
        if self.probe is None:
            self.doubt.set()
        return self.probe is not None

    def look(self, now: float) -> bool:
        """Look for the answer; return whether it may still come."""
        if self.probe is None:
            return False
        answered = self.probe.look()
        if answered is None and now - self.sent_at < self.pace.ping_seconds:
            return True
        self.end()
        if answered:
            self.engine.contacted()
            return False
        if answered is None:
            self.engine.lost_contact(self._silence())
        self.doubt.set()
        return False

    def _silence(self) -> EngineUnreachable:
        label = self.engine.label
        text = f"engine {label} did not answer within {self.pace.ping_seconds:.0f} s"
        return EngineUnreachable(label, text, sent=True, silent=True)

    def end(self) -> None:
        """Give the ping up, unless it was answered."""
        if self.probe is not None:
            self.probe.close()
        self.probe = None


class Pulse:
    """Pings engines that have been silent.  To be run by a task of the manager."""

    def __init__(self) -> None:
        #: When each engine's silence is to be looked at, with a number that breaks ties.
        self._due: list[tuple[float, int, _Patient]] = []
        self._number = 0
        self._asked: list[_Patient] = []
        self._beat_at = inf
        self._news = trio.Event()

    async def run(self) -> None:
        """Send pings until cancelled."""
        while True:
            self._beat_at, self._news = self._next_beat(), trio.Event()
            with trio.move_on_at(self._beat_at):
                await self._news.wait()
                continue  # an earlier beat may be due
            self._look()
            if self._send(trio.current_time()):
                await trio.sleep(_ANSWER_SECONDS)
                self._look()

    async def until_doubtful(self, engine: Pinged, pace: Pace, wait: float) -> None:
        """Ping *engine* whenever it is silent, until that does not suffice.

        Args:
            engine: the engine; it should have no failures.
            pace: its intervals.
            wait: seconds until its silence is looked at for the first time.
        """
        patient = _Patient(engine, pace)
        moment = trio.current_time() + wait
        self._look_at(patient, moment)
        if moment < self._beat_at:
            self._news.set()
        try:
            await patient.doubt.wait()
        finally:
            patient.doubt.set()
            patient.end()

    def _next_beat(self) -> float:
        """The first beat at which a ping is due or an answer is expected."""
        if not (self._asked or self._due):
            return inf
        now = trio.current_time()
        first = now if self._asked else max(now, self._due[0][0])
        return (first // _BEAT_SECONDS + 1) * _BEAT_SECONDS

    def _look_at(self, patient: _Patient, moment: float) -> None:
        self._number += 1
        heappush(self._due, (moment, self._number, patient))

    def _send(self, now: float) -> bool:
        """Ping the engines whose silence is due; return whether an answer is expected."""
        while self._due and self._due[0][0] <= now:
            _, _, patient = heappop(self._due)
            if patient.doubt.is_set():
                continue
            spoke_at = patient.engine.last_contact
            if now - spoke_at < patient.pace.least_silence:
                self._look_at(patient, spoke_at + patient.pace.silence)
            elif patient.begin(now):
                self._asked.append(patient)
        return bool(self._asked)

    def _look(self) -> None:
        """Look for the answers to all pings."""
        now = trio.current_time()
        asked, self._asked = self._asked, []
        for patient in asked:
            if patient.look(now):
                self._asked.append(patient)
            elif not patient.doubt.is_set():
                self._look_at(patient, patient.sent_at + patient.pace.silence)
