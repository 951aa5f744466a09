"""Engines that have left discovery's list and stay until their containers have moved.

Plugins say for how long an engine is needed (``swarmcore_engine_departed``).  A manager that is
restarted does not know departed engines any more.
"""

import logging
from collections.abc import Callable

import trio

from swarmcore import clock
from swarmcore.engine import Engine
from swarmcore.model import Drain
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: Interval at which plugins are asked again.
_LOOK_SECONDS = 1.0


class Departures:
    """Keeps departed engines.

    Args:
        seconds_to_stay: for how many seconds plugins still need a node.
        leave: called with an engine that is not needed any more.
    """

    def __init__(
        self, seconds_to_stay: Callable[[Node], float], leave: Callable[[Engine], None]
    ) -> None:
        self._seconds_to_stay = seconds_to_stay
        self._leave = leave
        #: Address of a departed engine -> why it takes no containers.
        self._departed: dict[str, Drain] = {}

    def drain_of(self, address: str) -> Drain | None:
        """Why the engine at *address* takes no containers; ``None`` if it has not departed."""
        return self._departed.get(address)

    def keep(self, engine: Engine, nursery: trio.Nursery) -> bool:
        """Keep an engine that is not in the list, if a plugin needs it.

        Args:
            engine: the engine.
            nursery: runs the waiting.

        Returns:
            Whether it stays in the cluster for now.
        """
        node = engine.node
        if node.address in self._departed:
            return True
        seconds = self._seconds_to_stay(node)
        if seconds <= 0:
            return False
        log.info("engine %s has left discovery's list; it stays for %g s at most, until its"
                 " containers have moved", engine.label, seconds)  # fmt: skip
        departed = Drain("it left discovery's list", since=clock.unix_seconds(), moves=True)
        self._departed[node.address] = departed
        nursery.start_soon(self._await_moves, engine, departed, seconds)
        return True

    def forget(self, address: str) -> bool:
        """Forget that an engine has departed: it is listed again, or gone.

        Returns:
            Whether it had departed.
        """
        return self._departed.pop(address, None) is not None

    async def _await_moves(self, engine: Engine, departed: Drain, seconds: float) -> None:
        node = engine.node
        with trio.move_on_after(seconds):
            while self._departed.get(node.address) is departed:
                if self._seconds_to_stay(node) <= 0:
                    break
                await trio.sleep(_LOOK_SECONDS)
        if self._departed.get(node.address) is departed:
            self._leave(engine)
