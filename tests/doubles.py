"""What stands for a neighbour of the cluster that a test has no use for."""

from contextlib import asynccontextmanager, contextmanager

import trio

from swarmcore.errors import EngineUnreachable


class ScriptedHTTP:
    """Stands where an engine's ``HTTPClient`` would.

    Args:
        engine: has the methods ``request`` and ``events``, as ``HTTPClient.request`` and ``lines``.
    """

    def __init__(self, engine):
        self.name = engine.name
        self._engine = engine
        self._under_way = set()

    async def request(self, method, target, **arguments):
        with self._until_abandoned():
            return await self._engine.request(method, target, **arguments)

    @asynccontextmanager
    async def lines(self, target):
        with self._until_abandoned():
            async with self._engine.events(target) as lines:
                yield lines

    def abandon(self):
        for scope in self._under_way:
            scope.cancel()

    @contextmanager
    def _until_abandoned(self):
        with trio.CancelScope() as scope:
            self._under_way.add(scope)
            try:
                yield
            finally:
                self._under_way.discard(scope)
        if scope.cancelled_caught:
            message = f"engine {self.name} does not answer any more"
            raise EngineUnreachable(self.name, message, sent=True)

    async def close_stale(self):
        pass

    async def aclose(self):
        pass


class Deaf:
    """A cluster's listener that does nothing."""

    def engine_joined(self, node):
        pass

    def engine_lost(self, node, reason):
        pass

    def container_placed(self, config, node):
        pass
