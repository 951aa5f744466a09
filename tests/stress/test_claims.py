"""A thousand concurrent creates for nine hundred places, on engines that fail in all known ways.

Ten engines have memory for ninety containers each.  Each create wants memory and one of ninety host
ports, so that an engine runs out of both at the same time.  So exactly nine hundred creates fit, in
any order and with any failures.  Failures pass, and a client without a clear answer tries again,
until the cluster refuses its create after the failures have ended.
"""

import collections
import re
from random import Random

import pytest
import trio

from swarmcore.errors import Conflict, EngineUnreachable, NoNodeFits, NotFound
from swarmcore.model import MiB
from swarmcore.testing.builders import a_config
from swarmcore.testing.embedded import EmbeddedEngine
from tests.stress.storm import Storm, claims_of, open_fleet

SEEDS = range(8)
ENGINES = 10
PORTS = [9000 + number for number in range(90)]
CLIENTS = 1000
MEMORY = 64 * MiB

_REFUSAL = re.compile(r"(?:no node fits|No healthy node available in the cluster): 0 of 10 nodes: ")
#: A count, a rule, and what is to be said of the nodes.
_REASON = re.compile(r"(\d+) (?:unhealthy|(?:memory|port \d+/tcp) (?:\([^()]+\)|taken by \S+))")


class Client:
    """A client that wants one container, and tries until it has it or is refused with reasons."""

    def __init__(self, number, random):
        self.name = f"client-{number}"
        self._random = random
        self._config = a_config(
            name=self.name, memory=MEMORY, ports=[f"{PORTS[number % len(PORTS)]}:80"]
        )
        self.outcome = ""
        self.refusals = []

    async def run(self, fleet, storm):
        """Try until the outcome is known."""
        while not self.outcome:
            was_over = storm.is_over
            try:
                with trio.move_on_after(self._patience()):
                    placed = await fleet.create(self._config)
                    self.outcome = self._outcome_of(placed.answer)
            except NoNodeFits as error:
                self.refusals.append(str(error))
                self.outcome = "refused" if was_over else ""
            except Conflict:
                self.outcome = "placed" if has_container(fleet, self.name) else ""
            except EngineUnreachable:
                assert not was_over
            if not self.outcome:
                await trio.sleep(self._random.randint(2, 15))

    def _outcome_of(self, answer):
        if answer.status == 201:
            return "placed"
        if answer.status != 409:  # an engine that made it after all, which nobody has heard of yet
            assert answer.message in ("no space left on device", "scripted failure")
        return ""

    def _patience(self):
        return self._random.uniform(0, 5) if self._random.random() < 0.1 else float("inf")


def has_container(fleet, name):
    try:
        fleet.cluster.find_container(name)
    except NotFound:
        return False
    return True


def is_explained(text):
    """Return whether a refusal has a reason for every node."""
    head = _REFUSAL.match(text)
    return head is not None and sum(map(int, _REASON.findall(text[head.end() :]))) == ENGINES


@pytest.mark.timeout(600)  # all of it is work for the processor, which a busy machine shares
@pytest.mark.parametrize("seed", SEEDS)
async def test_900_of_1000_concurrent_creates_are_placed_despite_failures(autojump_clock, seed):
    random = Random(seed)
    engines = [
        EmbeddedEngine(f"n{number}", memory=len(PORTS) * MEMORY, seed=random.random())
        for number in range(1, ENGINES + 1)
    ]
    clients = [Client(number, random) for number in range(CLIENTS)]
    async with open_fleet(random, engines) as fleet:
        storm = Storm(fleet, random, seconds=25)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(storm.blow)
            for client in clients:
                nursery.start_soon(client.run, fleet, storm)
    outcomes = collections.Counter(client.outcome for client in clients)
    assert outcomes == {"placed": 900, "refused": 100}
    unexplained = [text for c in clients for text in c.refusals if not is_explained(text)]
    assert unexplained == []
    check_claims(fleet)
    on_engines = [record.name for engine in engines for record in engine.containers]
    assert sorted(on_engines) == sorted(c.name for c in clients if c.outcome == "placed")


def check_claims(fleet):
    """Check that every claim belongs to one container and counts once."""
    assert fleet.left_behind() == []
    nodes = {node.name: node for node in fleet.cluster.nodes()}
    for engine in fleet.engines:
        memory, ports = claims_of(engine)
        assert memory == engine.memory
        assert len(ports) == len(set(ports)) == len(PORTS)
        node = nodes[engine.name]
        assert node.used_memory == memory
        assert set(node.containers) == {record.id for record in engine.containers}
