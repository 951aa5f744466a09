"""The plugin of simulated managers: their discovery, their election, and the power switch."""

from collections.abc import Awaitable, Callable

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoverySink, DiscoveryURI, Election, Entry, Node
from swarmcore.stores.key_election import KeyElection
from swarmcore.stores.settings import ElectionWithSettings
from swarmcore.testing.simulation.hosts.network import current_host
from swarmcore.testing.simulation.hosts.store import StoreClient
from swarmcore.testing.simulation.world import World, current_world


def _world() -> World:
    world = current_world.get()
    assert world is not None, "this plugin is for simulations"
    return world


class _EnginesOfTheWorld:
    """Reports all engines once."""

    from_operator = True

    async def watch(self, sink: DiscoverySink) -> None:
        sink.entries([Entry(engine.entry.address) for engine in _world().engines.values()])


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI) -> Discovery | None:
    """Return the discovery for the scheme ``simulated``."""
    return _EnginesOfTheWorld() if uri.scheme == "simulated" else None


@hookimpl
def swarmcore_election(uri: DiscoveryURI) -> Election | None:
    """Return the election in the store of the simulation."""
    host = current_host.get()
    if uri.scheme != "simulated" or host is None:
        return None
    client = StoreClient(_world().store, host)
    return ElectionWithSettings(KeyElection(client), client)


@hookimpl
def swarmcore_fence(node: Node) -> Callable[[], Awaitable[None]] | None:
    """Switch off the machine of a lost engine, if this world has power switches."""
    world, host = _world(), current_host.get()
    if not world.plan.is_fenced or host is None:
        return None

    async def switch_off() -> None:
        await world.switch_off(node.address)

    return switch_off
