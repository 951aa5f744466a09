"""What takes long in a decision, done before it in pieces: others get their turn between them."""

from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter

import trio

from swarmcore.config import ContainerConfig
from swarmcore.errors import SwarmError
from swarmcore.node import Node
from swarmcore.scheduler import Scheduler

#: How long the rules work before others get a turn.
_SECONDS = 0.01


async def rehearse(scheduler: Scheduler, config: ContainerConfig, nodes: Sequence[Node]) -> None:
    """Have the patterns of *config* looked for on all *nodes*, which remember what was found.

    The decision itself stays one step without a pause; it looks again only where something has
    changed meanwhile.  What is wrong with *config* is the decision's to tell.
    """
    if not config.is_searched:
        return
    with suppress(SwarmError):
        since = perf_counter()
        for _ in scheduler.rehearse(config, nodes):
            if perf_counter() - since > _SECONDS:
                await trio.lowlevel.checkpoint()
                since = perf_counter()
