"""An embedded engine as a machine of a simulation, which can crash and disturb its events."""

import math
from collections.abc import Callable
from typing import Any

import trio

from swarmcore.http.messages import dump_json
from swarmcore.http.server import ServerExchange
from swarmcore.model import GiB
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.testing.embedded.faults import Fault
from swarmcore.testing.simulation.hosts.network import Host, current_host

#: The memory of each engine; small, so that creates compete for it.
ENGINE_MEMORY = 3 * GiB

_EVENTS = "GET /events"


class SimulatedEngine(EmbeddedEngine):
    """An engine of a simulation.

    Args:
        host: its machine.
        seed: the seed of its ids.
        clock: returns Unix nanoseconds.
        note: called with each request that changes something.
    """

    def __init__(
        self, host: Host, seed: int, clock: Callable[[], int], note: Callable[[str], None]
    ) -> None:
        super().__init__(
            host.name,
            cpus=8,
            memory=ENGINE_MEMORY,
            pullable=["*"],
            host=host.ip,
            port=2375,
            seed=seed,
            clock=clock,
            listen=host.listen,
        )
        self.machine = host
        self.is_serving = False
        self.is_hung = False
        self.crashes = 0
        #: Until when it stays off, in trio's time; infinite while somebody has switched it off.
        self.off_until = 0.0
        self._note = note
        self._wanted = trio.Event()
        self._crashed = trio.Event()

    async def run(self) -> None:
        """Serve, crash and start again until cancelled."""
        current_host.set(self.machine)
        while True:
            self._crashed = trio.Event()
            async with self.serving():
                self.is_serving = True
                try:
                    await self._crashed.wait()
                finally:
                    self.is_serving = False
            while trio.current_time() < self.off_until:
                self._wanted = trio.Event()
                with trio.move_on_at(min(self.off_until, trio.current_time() + 1e6)):
                    await self._wanted.wait()

    def crash(self, seconds: float = math.inf) -> None:
        """End at once, as if its power failed, and start again later."""
        self.crashes += 1
        self.off_until = max(self.off_until, trio.current_time() + seconds)
        self._crashed.set()

    def switch_on(self) -> None:
        """Start again now."""
        self.off_until = 0.0
        self._wanted.set()

    async def answer(self, exchange: ServerExchange) -> None:
        """Answer one request, and note it if it changes something."""
        request = exchange.request
        if request.method not in ("GET", "HEAD"):
            self._note(f"{self.name} is asked: {request.method} {_short(request.target)}")
        await super().answer(exchange)

    # ---- events

    def repeat_events(self) -> Fault:
        """Send each event twice."""
        return self.lie(_EVENTS, lambda event: dump_json(event) * 2)

    def reorder_events(self) -> Fault:
        """Send the events of each pair in the other order."""
        held: list[Any] = []

        def transform(event: Any) -> bytes:
            if not held:
                held.append(event)
                return b"\n"
            return dump_json(event) + dump_json(held.pop())

        return self.lie(_EVENTS, transform)


def _short(target: str) -> str:
    """A request's target with ids of twelve digits, for a history."""
    path, mark, query = target.partition("?")
    parts = [part[:12] if len(part) == 64 else part for part in path.split("/")]
    return "/".join(parts) + mark + query
