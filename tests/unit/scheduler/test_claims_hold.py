"""In any order of creates and removals, no node gives more than it has."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from swarmcore_filter_containerslots import ContainerSlotsFilter
from swarmcore_filter_port import PortFilter
from swarmcore_strategy_binpack import Binpack
from swarmcore_strategy_random import RandomStrategy
from swarmcore_strategy_spread import Spread

from swarmcore.container_config import SWARM_ID
from swarmcore.errors import NoNodeFits
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node, a_reservation

PORTS = st.lists(
    st.sampled_from(
        ["80:80", "80:80/udp", "127.0.0.1:80:80", "10.0.0.7:80:80", "53:53", "53-54:5"]
    ),
    max_size=2,
    unique_by=lambda text: text.rpartition(":")[2],
)
CREATES = st.tuples(st.integers(0, 3), st.integers(0, 5), PORTS)
#: A create, or what becomes of an earlier one: a container, or nothing.
STEPS = st.lists(
    CREATES | st.tuples(st.sampled_from(["shown", "gone"]), st.integers(0, 30)), min_size=10
)
STRATEGIES = st.sampled_from([Spread, Binpack]).map(lambda make: make()) | st.randoms().map(
    RandomStrategy
)


class Fleet:
    """Two small nodes, and creates that are placed on them."""

    def __init__(self, strategy):
        self.nodes = [
            a_node("n1", cpus=4, memory=8, overcommit=0.25, labels={"containerslots": "3"}),
            a_node("n2", cpus=2, memory=16),
        ]
        self._scheduler = Scheduler(strategy, [PortFilter(), ContainerSlotsFilter()])
        self._placed = []

    def create(self, cpus, memory, ports):
        name = f"c{len(self._placed)}"
        config = a_config(name=name, cpus=cpus, memory=memory, ports=ports)
        try:
            node = a_decision(self._scheduler, config, self.nodes).node
        except NoNodeFits:
            return
        assert node in self.nodes
        more = {"cpus": cpus, "memory": memory, "ports": config.claim.ports}
        reservation = a_reservation(name, **more)
        node.reserve(reservation)
        container = a_container(name, labels={SWARM_ID: reservation.id}, **more)
        self._placed.append((node, reservation, container))

    def become(self, fate, number):
        if not self._placed:
            return
        node, reservation, container = self._placed[number % len(self._placed)]
        if fate == "gone":
            node.release(reservation.id)
            node.drop_container(container.id)
        elif reservation.id in node.reservations:
            node.put_container(container)


def holds(node):
    """Return whether a node gives no more than it has."""
    holders = (*node.containers.values(), *node.reservations.values())
    ports = [port for holder in holders for port in holder.claim.ports if port.first == port.last]
    return (
        node.used_memory <= node.total_memory
        and node.used_nano_cpus <= node.total_nano_cpus
        and (node.slots is None or len(holders) <= node.slots)
        and not any(one.clashes(other) for one, other in combinations(ports, 2))
    )


@given(STRATEGIES, STEPS)
def test_claims_never_exceed_a_node(strategy, steps):
    fleet = Fleet(strategy)
    for step in steps:
        if len(step) == 3:
            fleet.create(*step)
        else:
            fleet.become(*step)
        assert all(map(holds, fleet.nodes))
