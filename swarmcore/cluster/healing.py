"""Knowing the engines as they are now, before placing on them for the first time.

A manager that becomes primary follows the engines already; what its predecessor did in its last
moment may still be on its way to it.
"""

import logging

import trio

from swarmcore.cluster.membership import Membership
from swarmcore.engine import Engine
from swarmcore.errors import EngineError
from swarmcore.model import State

log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 0.05


async def refresh_engines(membership: Membership, *, seconds: float) -> None:
    """Read the containers of every healthy engine again, once each has been met.

    Args:
        membership: the engines.
        seconds: after which it must do: an engine that hangs does not hold the others up.
    """
    with trio.move_on_after(seconds) as waiting:
        while not _has_met_all(membership):  # noqa: ASYNC110  (nobody tells of a first failure)
            await trio.sleep(_LOOK_AGAIN_SECONDS)
        async with trio.open_nursery() as nursery:
            for engine in membership.roll.healthy:
                nursery.start_soon(_refresh, engine)
    if waiting.cancelled_caught:
        log.warning("not every engine could be read again within %g s", seconds)


def _has_met_all(membership: Membership) -> bool:
    """Whether it is known which engines there are, and each has answered or failed to."""
    nodes = [engine.node for engine in membership.roll.all]
    return membership.is_listed and all(
        node.state is not State.PENDING or node.failures for node in nodes
    )


async def _refresh(engine: Engine) -> None:
    try:
        await engine.refresh_containers()
    except EngineError as error:
        log.warning("engine %s could not be read again: %s", engine.label, error)
