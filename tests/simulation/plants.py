"""Five bugs, put into the product on purpose: the simulation must find each of them.

To search for seeds that find a bug: ``python -m tests.simulation.plants NAME FIRST LAST``.
"""

import sys

from swarmcore.cluster.placement.create import Create
from swarmcore.engine.cache.cached_objects import CachedObjects
from swarmcore.engine.cache.own_changes import PendingChange
from swarmcore.engine.event_feed import SeenEvents
from swarmcore.node import Node
from swarmcore.plugins.plugins import Plugins
from swarmcore.testing.simulation.forks import run_forked
from swarmcore.testing.simulation.seeds import prepare, run_seed


def return_no_claim():
    """A create that has ended keeps its claim on the node."""

    def release(self, id):
        reservation = self._reservations.pop(id, None)
        if reservation is not None:
            self.reservation_changes += 1
            self._index.remove(reservation.words, reservation.labels)
            self.objects.disuse(reservation.things)
        return reservation

    Node.release = release


def apply_events_twice():
    """An event that an engine repeats is processed again."""
    SeenEvents.is_new = lambda self, event: True


def skip_fences():
    """Containers are copied while their lost engine may still run them."""
    Plugins.fences = lambda self, node: []


def do_not_ask_for_leadership_again():
    """A create is sent after a pause in which another manager may have been elected."""
    Create._permit = lambda self: None


def answer_before_the_event():
    """A change is answered before the cache shows it."""

    async def settle(self, status):
        pass

    async def settle_created(self, id, named, *, is_complete):
        pass

    PendingChange.__call__ = settle
    CachedObjects.settle_created = settle_created


PLANTS = {
    "claim": return_no_claim,
    "events": apply_events_twice,
    "fence": skip_fences,
    "leadership": do_not_ask_for_leadership_again,
    "read": answer_before_the_event,
}


def run_with(plant, seed):
    """Run a seed with a bug, in this process."""
    PLANTS[plant]()
    return run_seed(seed)


def find(plant, seeds, jobs=1):
    """Yield the seeds that find a bug, with what they find."""
    work = lambda seed: run_with(plant, seed)  # noqa: E731
    for seed, outcome in run_forked(work, seeds, jobs=jobs, seconds=120):
        if outcome.violation:
            yield seed, outcome


if __name__ == "__main__":
    prepare()
    name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for seed, outcome in find(name, range(first, last + 1)):
        sys.stdout.write(f"{name} {seed}: {outcome.violation[:200]}\n")
        sys.stdout.flush()
