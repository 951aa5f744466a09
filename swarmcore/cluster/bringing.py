"""Networks that nothing uses yet, for a container that is there already."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from swarmcore.cluster.placement import Placement
from swarmcore.config import ContainerConfig
from swarmcore.node import Node


@asynccontextmanager
async def bringing(
    placement: Placement, networks: Sequence[str], node: Node
) -> AsyncIterator[None]:
    """Have on *node* what is loose of *networks*, and keep it there; see ``protocols.Cluster``.

    Args:
        placement: whose reservation keeps them.
        networks: as ``config.networks``.
        node: the container's.

    Raises:
        EngineRefused: its engine refuses to have one.
        Unavailable: this manager may not place.
    """
    asked = replace(ContainerConfig.parse({}), networks=tuple(networks))
    config = placement.inform(asked.with_swarm_id(secrets.token_hex(32)))
    if not config.loose:
        yield
        return
    placement.permit()
    placement.reserve(config, node)
    try:
        await placement.moves.bring(config, node)
        yield
    finally:
        placement.reservations.end(config.swarm_id)
