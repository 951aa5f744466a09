"""Begins and undoes the faults of a plan."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from tests.chaos.plan import Fault
from tests.chaos.world import World


def begin(fault: Fault, world: World, stack: ExitStack) -> None:
    """Cause a fault; leaving *stack* undoes it.

    Raises:
        LabError: it could not be caused.
    """
    act, undo = _acts(fault, world)
    stack.callback(undo)
    act()


def _acts(fault: Fault, world: World) -> tuple[Callable[[], None], Callable[[], None]]:
    first = fault.target[0]
    if fault.kind == "block":
        host = world.hosts[first]
        other = fault.target[1]
        ip = world.engines[other].ip if other in world.engines else world.hosts[other].ip
        return lambda: host.block(ip), lambda: host.unblock(ip)
    if fault.kind == "fill disk":
        return world.engines[first].fill_disk, world.engines[first].free_disk
    part = world.engines.get(first) or world.hosts[first]
    match fault.kind.partition(" ")[0]:
        case "cut":
            return part.cut, part.mend
        case "hang":
            return part.pause, part.resume
    if fault.kind == "kill engine":
        return part.kill, world.engines[first].start
    if fault.kind == "kill store":
        return part.kill, world.start_store
    return lambda: _kill_manager(world, first), lambda: world.start_manager(first)


def _kill_manager(world: World, name: str) -> None:
    world.hosts[name].kill()
    world.killed[world.runs[name][-1]] = time.time()
