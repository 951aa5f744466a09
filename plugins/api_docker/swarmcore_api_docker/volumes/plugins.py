"""Which engines have a volume plugin: they tell of one only once it was looked for there."""

from collections.abc import Iterable

import trio

from swarmcore.protocols import Cluster, Engine
from swarmcore_api_docker.fanout.gather import ask_all

#: An engine that takes longer to look is not waited for.
_LOOK_SECONDS = 5.0


async def look_for_plugins(cluster: Cluster, plugins: Iterable[str]) -> None:
    """Have every engine look, where none is known to have one of *plugins*.

    Args:
        cluster: whose engines.
        plugins: what a create names as drivers of its volumes.
    """
    wanted = set(plugins)
    engines = [engine for engine in cluster.engines() if engine.node.health]
    known = frozenset[str]().union(*(engine.node.ties.drivers for engine in engines))
    if known >= wanted:
        return

    async def look(engine: Engine) -> None:
        await engine.refresh_volumes()  # looks for plugins, which are told of then
        await engine.refresh_specs()

    with trio.move_on_after(_LOOK_SECONDS):
        await ask_all(engines, look)
