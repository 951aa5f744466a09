"""A cluster that runs for as long as a block lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from swarmcore.cluster.cluster import Cluster


@asynccontextmanager
async def open_cluster(cluster: Cluster) -> AsyncIterator[Cluster]:
    """Run *cluster* while the block lasts."""
    async with trio.open_nursery() as nursery:
        await nursery.start(cluster.run)
        yield cluster
        nursery.cancel_scope.cancel()
