"""Doubles for parts of the cluster that a test does not need."""

from contextlib import asynccontextmanager

from swarmcore.errors import EngineUnreachable
from swarmcore.http.client import CallsUnderWay


class ScriptedHTTP:
    """Replaces an engine's ``HTTPClient``.

    Args:
        engine: has the methods ``request`` and ``events``, like ``HTTPClient.request`` and
            ``lines``.
    """

    def __init__(self, engine):
        self.name = engine.name
        self._engine = engine
        self._under_way = CallsUnderWay()

    async def request(self, method, target, **arguments):
        with self._under_way.until_ended(self._abandoned):
            return await self._engine.request(method, target, **arguments)

    async def request_several(self, targets, answered):
        for target in targets:
            answered(await self.request("GET", target))

    @asynccontextmanager
    async def lines(self, target):
        with self._under_way.until_ended(self._abandoned):
            async with self._engine.events(target) as lines:
                yield lines

    def abandon(self):
        self._under_way.end()

    def _abandoned(self):
        message = f"engine {self.name} does not answer any more"
        return EngineUnreachable(self.name, message, sent=True)

    async def close_stale(self):
        pass

    async def aclose(self):
        pass


class Deaf:
    """A listener of the cluster that does nothing."""

    def engine_joined(self, node):
        pass

    def seconds_to_stay(self, node):
        return 0.0

    def engine_lost(self, node, reason):
        pass

    def container_placed(self, config, node):
        pass

    def fences(self, node):
        return []
