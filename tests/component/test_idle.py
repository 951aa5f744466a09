"""What an idle manager does: how often its tasks run, counted by trio."""

from random import Random

import trio

from swarmcore.cluster import Cluster, open_cluster
from swarmcore.engine import Engine
from swarmcore.engine.intervals import Pace
from swarmcore.engine.pulse import Pulse
from swarmcore.http.client import Dialer, HTTPClient, Lifeline
from swarmcore.testing.embedded import EmbeddedEngine
from tests.component.api_docker.manager import ByLabel
from tests.doubles import Deaf

ENGINES = 100
SECONDS = 6
#: Steps of the manager's tasks per second.  One timer pings all engines: two steps for each of its
#: four beats, and one for each other timer.  With a task for each ping it is over a hundred.
LIMIT = 20


class Steps(trio.abc.Instrument):
    """Counts the steps of the tasks in one nursery, and of their descendants."""

    def __init__(self, nursery):
        self.count = 0
        self._nursery = nursery

    def before_task_step(self, task):
        nursery = task.parent_nursery
        while nursery is not None and nursery is not self._nursery:
            nursery = nursery.parent_task.parent_nursery
        self.count += nursery is self._nursery


async def serve(engine, task_status):
    async with engine.serving():
        task_status.started()
        await trio.sleep_forever()


async def test_an_idle_manager_of_a_hundred_engines_takes_few_steps():
    pulse, listing = Pulse(), trio.CapacityLimiter(16)

    def make_engine(entry, owner):
        lifeline = Lifeline()
        return Engine(
            entry,
            HTTPClient(Dialer(entry.address, lifeline=lifeline)),
            owner,
            pace=Pace(),
            overcommit=0.0,
            random=Random(entry.address.port),
            listing=listing,
            lifeline=lifeline,
            pulse=pulse,
        )

    cluster = Cluster(ByLabel(), make_engine, Deaf())

    async def manage(task_status):
        async with open_cluster(cluster), trio.open_nursery() as nursery:
            nursery.start_soon(pulse.run)
            task_status.started()
            await trio.sleep_forever()

    engines = [EmbeddedEngine(f"n{number}") for number in range(ENGINES)]
    async with trio.open_nursery() as serving:
        for engine in engines:
            engine.add_container("web")
            await serving.start(serve, engine)
        async with trio.open_nursery() as manager:
            await manager.start(manage)
            cluster.membership.entries([engine.entry for engine in engines])
            with trio.fail_after(60):
                while len(cluster.membership.snapshot.healthy) < ENGINES:  # noqa: ASYNC110
                    await trio.sleep(0.1)
            await trio.sleep(4)  # past events of volumes are read after the start
            steps = Steps(manager)
            pings = sum(len(engine.requests_like("GET /_ping")) for engine in engines)
            trio.lowlevel.add_instrument(steps)
            await trio.sleep(SECONDS)
            trio.lowlevel.remove_instrument(steps)
            pings = sum(len(engine.requests_like("GET /_ping")) for engine in engines) - pings
            manager.cancel_scope.cancel()
        serving.cancel_scope.cancel()
    assert 0 < steps.count / SECONDS < LIMIT
    assert pings >= ENGINES  # each engine is pinged every three seconds
