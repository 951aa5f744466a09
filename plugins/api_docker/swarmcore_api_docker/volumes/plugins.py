"""Find out which engines have a volume plugin.

An engine reports a plugin only after a request has made it look for plugins.
"""

from collections.abc import Iterable

import trio

from swarmcore.protocols import ClusterView, Engine
from swarmcore_api_docker.fanout.gather import ask_all

#: How long a create waits until all engines have looked for plugins.
_LOOK_SECONDS = 5.0


async def discover_plugins(cluster: ClusterView, plugins: Iterable[str]) -> None:
    """Let every engine look for plugins, unless each of *plugins* is known on some engine.

    Args:
        cluster: the cluster whose engines are asked.
        plugins: names of volume drivers in a create.
    """
    wanted = set(plugins)
    if not wanted:
        return
    engines = [engine for engine in cluster.engines() if engine.node.health]
    known = frozenset[str]().union(*(engine.node.ties.drivers for engine in engines))
    if known >= wanted:
        return

    async def look(engine: Engine) -> None:
        await engine.refresh_volumes()  # a list of volumes makes the engine look for plugins
        await engine.refresh_specs()

    with trio.move_on_after(_LOOK_SECONDS):
        await ask_all(engines, look)
