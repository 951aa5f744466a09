"""What must hold all the time, and at the end when every fault is over."""

from collections.abc import Iterable

from swarmcore.cluster import Cluster
from swarmcore.model import State
from swarmcore.node import Node
from swarmcore.testing.embedded import ContainerRecord
from swarmcore.testing.simulation.clients.client import Client
from swarmcore.testing.simulation.clients.ledger import Entry, Known
from swarmcore.testing.simulation.hosts.engines import ENGINE_MEMORY, SimulatedEngine
from swarmcore.testing.simulation.world import MOVED_FROM, World, identity, label

_OVERCOMMIT = 1.05


def check_always(world: World) -> None:
    """Check what holds at every moment."""
    clusters = {name: each.cluster for name, each in world.managers.items() if each.cluster}
    leading = [name for name, cluster in clusters.items() if cluster.is_primary]
    if len(leading) > 1:
        world.history.violated("leadership", f"{' and '.join(leading)} lead at the same time")
    for name, cluster in clusters.items():
        world.note_states(name, cluster)
    world.note_copies()
    for name in leading:
        for node in clusters[name].nodes():
            _check_claims(world, name, node)
        _check_copies(world, clusters[name])
    if not world.managers_were_lost:
        _check_room(world)


def _check_claims(world: World, manager: str, node: Node) -> None:
    """Claims are the sum of what is there, and not negative."""
    claims = [each.claim for each in node.containers.values()]
    claims += [each.claim for each in node.reservations.values()]
    memory = sum(claim.memory for claim in claims)
    if node.used_memory != memory or node.used_memory < 0:
        text = f"{manager} counts {node.used_memory} bytes on {node.name}, and {memory} are claimed"
        world.history.violated("claims", text)


def _check_copies(world: World, cluster: Cluster) -> None:
    """No container runs twice on engines that the manager can reach, nor on others if fenced.

    An engine that was switched off and on again may run a container of its own until the manager
    has removed it, which it does before the engine is healthy.
    """
    healthy = {node.name for node in cluster.nodes() if node.state is State.HEALTHY}
    for id, engines in _running(world.engines.values()).items():
        reached = [engine for engine in engines if engine.name in healthy]
        none_crashed = not any(engine.crashes for engine in engines)
        if len(reached) > 1 or (len(engines) > 1 and world.plan.is_fenced and none_crashed):
            names = " and ".join(sorted(engine.name for engine in engines))
            world.history.violated("runs once", f"container {id[:12]} runs on {names}")


def _running(engines: Iterable[SimulatedEngine]) -> dict[str, list[SimulatedEngine]]:
    """Swarm id -> the engines that serve, and on which a container with it runs."""
    found: dict[str, list[SimulatedEngine]] = {}
    for engine in engines:
        for record in engine.containers if engine.is_serving else ():
            if record.alive:
                found.setdefault(identity(record), []).append(engine)
    return found


def _check_room(world: World) -> None:
    """No engine has more than its room.

    A container that takes the name and the port of another is to replace it; until a client has
    removed that one, the engine has both, of which one can run.
    """
    for engine in world.engines.values():
        with_port: list[int] = []
        others: list[int] = []
        for each in engine.containers:
            memory = int(each.host_config["Memory"] or 0)
            (with_port if each.host_config["PortBindings"] else others).append(memory)
        used = sum(others) + max(with_port, default=0)
        if used > ENGINE_MEMORY * _OVERCOMMIT:
            world.history.violated("room", f"{engine.name} has containers of {used} bytes")


# ---- at the end


def check_finally(world: World, clients: Iterable[Client]) -> None:
    """Check what holds when every fault is over for some time.

    Args:
        world: the world.
        clients: with their ledgers.
    """
    check_always(world)
    for name, manager in world.managers.items():
        if manager.cluster is None:
            continue
        if manager.cluster.is_primary:
            _check_knowledge(world, name, manager.cluster)
    for client in clients:
        for entry in client.ledger.entries.values():
            _check_entry(world, entry)


def _check_knowledge(world: World, manager: str, cluster: Cluster) -> None:
    """A manager knows exactly what engines have, and reserves nothing."""
    for node in cluster.nodes():
        engine = world.engines.get(node.name)
        if engine is None or node.state is not State.HEALTHY:
            text = f"{node.address} is {node.state.value}: {node.error}"
            world.history.violated("recovery", f"{manager} sees that {text}")
            continue
        there = {each.id: each.name for each in engine.containers}
        known = {each.id: each.name for each in node.containers.values()}
        if there != known:
            text = f"{manager} knows {known} on {node.name}, which has {there}"
            world.history.violated("knowledge", text)
        if node.reservations:
            names = ", ".join(each.name for each in node.reservations.values())
            world.history.violated("leaks", f"{manager} still reserves {names} on {node.name}")


def _check_entry(world: World, entry: Entry) -> None:
    holders = " and ".join(engine.name for engine in world.holders(entry.name))
    # A manager that was just started may not know a name of an engine that does not answer.
    if " and " in holders and not world.managers_were_lost:
        world.history.violated("one holder", f"{holders} have {entry.name}")
    copies = world.copies(entry.swarm_id) if entry.swarm_id else []
    # A new primary that cannot reach an engine moves what it knew of it: see moving.md, which
    # changes are undone by that.
    may_return = entry.may_move and world.managers_were_lost
    is_named = may_return or entry.name in {record.name for _, record in copies}
    if entry.known is Known.PRESENT and not (copies and is_named):
        world.history.violated("created exists", f"no engine has {entry.name}, which was created")
    if entry.known is Known.ABSENT and copies and not may_return:
        names = " and ".join(f"{record.name} on {engine.name}" for engine, record in copies)
        world.history.violated("removed is gone", f"{entry.name} was removed and is {names}")
    if entry.known is Known.PRESENT and entry.may_move and entry.runs:
        for engine, record in copies:
            _check_moved(world, entry, engine, record)


def _check_moved(
    world: World, entry: Entry, holder: SimulatedEngine, record: ContainerRecord
) -> None:
    """A container that was moved runs, unless it stopped because an engine crashed."""
    crashed = holder.crashes or any(world.engines[name].crashes for name in entry.engines)
    if label(record, MOVED_FROM) and not record.alive and not crashed:
        world.history.violated("runs at last", f"{entry.name} was moved to {holder.name}, stopped")
