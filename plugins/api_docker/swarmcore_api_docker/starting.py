"""What a container waits for before its engine starts it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from swarmcore.config.references import has_network, network_words
from swarmcore.model import Container
from swarmcore.protocols import Cluster, Engine


@asynccontextmanager
async def ready_to_start(
    cluster: Cluster, container: Container, engine: Engine
) -> AsyncIterator[None]:
    """Have its turn, and the networks that were made elsewhere since it was created."""
    words = network_words(container)
    missing = [word for word in words if not has_network(engine.node, word)]
    async with cluster.bringing(missing, engine), cluster.turn(engine):
        yield
