"""What must hold all the time, and at the end when every fault is over."""

from collections.abc import Iterable

from swarmcore.cluster import Cluster
from swarmcore.model import State
from swarmcore.node import Node
from swarmcore.testing.embedded import ContainerRecord
from swarmcore.testing.simulation.clients import Client
from swarmcore.testing.simulation.engines import ENGINE_MEMORY, SimulatedEngine
from swarmcore.testing.simulation.ledger import Entry, Known
from swarmcore.testing.simulation.world import World

_SWARM_ID = "com.docker.swarm.id"
_MOVED_FROM = "com.docker.swarm.moved-from"
_OVERCOMMIT = 1.05


def check_always(world: World) -> None:
    """Check what holds at every moment."""
    clusters = {name: each.cluster for name, each in world.managers.items() if each.cluster}
    leading = [name for name, cluster in clusters.items() if cluster.is_primary]
    if len(leading) > 1:
        world.history.violated("leadership", f"{' and '.join(leading)} lead at the same time")
    for name, cluster in clusters.items():
        world.note_states(name, cluster)
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
    among = [
        engine
        for engine in world.engines.values()
        if engine.is_serving
        and (engine.name in healthy or (world.plan.is_fenced and not engine.crashes))
    ]
    for id, engines in _running(among).items():
        if len(engines) > 1:
            world.history.violated(
                "runs once", f"container {id[:12]} runs on {' and '.join(sorted(engines))}"
            )


def _running(engines: Iterable[SimulatedEngine]) -> dict[str, list[str]]:
    """Swarm id -> names of the engines on which a container with it runs."""
    found: dict[str, list[str]] = {}
    for engine in engines:
        for record in engine.containers:
            if record.alive and (id := _label(record, _SWARM_ID)):
                found.setdefault(id, []).append(engine.name)
    return found


def _label(record: ContainerRecord, key: str) -> str:
    labels: dict[str, str] = record.config["Labels"] or {}
    return labels.get(key, "")


def _check_room(world: World) -> None:
    """No engine has more than its room."""
    for engine in world.engines.values():
        used = sum(int(each.host_config["Memory"] or 0) for each in engine.containers)
        if used > ENGINE_MEMORY * _OVERCOMMIT:
            world.history.violated("room", f"{engine.name} has containers of {used} bytes")


# ---- at the end


def check_finally(world: World, clients: Iterable[Client], tasks: tuple[int, int]) -> None:
    """Check what holds when every fault is over for some time.

    Args:
        world: the world.
        clients: with their ledgers.
        tasks: the number of tasks before the first request and now.
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
    before, now = tasks
    if now > before:
        world.history.violated("leaks", f"{now} tasks at the end, and {before} before")


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
    holders = world.holders(entry.name)
    names = " and ".join(engine.name for engine in holders)
    if entry.known is Known.PRESENT and not holders:
        world.history.violated("created exists", f"no engine has {entry.name}, which was created")
    if len(holders) > 1 and not world.managers_were_lost:
        world.history.violated("one holder", f"{names} have {entry.name}")
    may_return = entry.may_move and world.managers_were_lost  # see "Two copies" in moving.md
    if entry.known is Known.ABSENT and holders and not may_return:
        world.history.violated("removed is gone", f"{names} has {entry.name}")
    if entry.known is Known.PRESENT and entry.may_move and entry.runs and holders:
        _check_moved(world, entry, holders[0])


def _check_moved(world: World, entry: Entry, holder: SimulatedEngine) -> None:
    """A container that was moved runs, unless it stopped because an engine crashed."""
    record = holder.container(entry.name)
    crashed = holder.crashes or any(world.engines[name].crashes for name in entry.engines)
    if _label(record, _MOVED_FROM) and not record.alive and not crashed:
        world.history.violated("runs at last", f"{entry.name} was moved to {holder.name}, stopped")
