"""Nothing leaks: tasks, connections and objects are as many at the end as before the requests."""

import gc
from collections import Counter
from dataclasses import dataclass, field

import trio

from swarmcore.engine.cache.kept_documents import KeptDocument
from swarmcore.http.client.call import Call
from swarmcore.http.server import ServerExchange
from swarmcore.model import Claim, Container
from swarmcore.node.allocation import Reservation
from swarmcore.testing.simulation.clients.asking import ask
from swarmcore.testing.simulation.world import World

#: The time until what was in use at one moment, say by a reading of all lists, has ended.
_QUIET_SECONDS = 60.0
#: What is kept for each container, or while a request is under way.
_PASSING = (Call, Claim, Container, KeptDocument, Reservation, ServerExchange)


@dataclass(frozen=True, slots=True)
class Resources:
    """What is in use.

    Attributes:
        tasks: the number of tasks, without those of engines that serve kept connections.
        connections: the number of connections of engines.
        objects: the number of the product's objects that pass, by class.
    """

    tasks: int
    connections: int
    objects: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, world: World) -> "Resources":
        """What is in use now."""
        tasks = trio.lowlevel.current_statistics().tasks_living - world.network.connection_count
        return cls(tasks, sum(each.machine.connection_count for each in world.engines.values()))

    def exceed(self, other: "Resources") -> bool:
        """Whether there are more than in *other*."""
        return self.tasks > other.tasks or self.connections > other.connections

    def __str__(self) -> str:
        return f"{self.tasks} tasks and {self.connections} connections"


async def check_leaks(world: World, before: Resources) -> None:
    """Compare what is in use with what was in use *before* the first request."""
    with trio.move_on_after(_QUIET_SECONDS):
        while Resources.of(world).exceed(before):  # noqa: ASYNC110  (no event tells)
            await trio.sleep(1.0)
    now = Resources.of(world)
    if now.exceed(before):
        world.history.violated("leaks", f"{now} at the end, and {before} before")
    # A replica keeps the list that it made when it led; moved containers are remembered, as the
    # engines that lost them may return.
    if len(world.managers) == 1 and not world.has_moved:
        await _check_objects(world, before)


async def _check_objects(world: World, before: Resources) -> None:
    """Remove all containers; then nothing may be left of them."""
    for engine in world.engines.values():
        for record in list(engine.containers):
            engine.runtime.remove(record, force=True)
    await trio.sleep(5.0)
    client, manager = next(iter(world.clients.values())), next(iter(world.managers.values()))
    for target in ("/containers/json?all=1", "/containers/json"):  # makes kept lists anew
        await ask(client, manager.address, "GET", target)
    if left := count_objects() - before.objects:
        shown = ", ".join(f"{count} {name}" for name, count in left.items())
        world.history.violated("leaks", f"{shown} are left of removed containers")


def count_objects() -> Counter[str]:
    """The product's objects that pass, by class."""
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, _PASSING))
