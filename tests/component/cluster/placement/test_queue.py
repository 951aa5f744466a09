"""Creates that wait for free resources: their order, what wakes them, and what ends the wait."""

import re

import pytest
import trio

from swarmcore.errors import BadRequest, Conflict, NeverFits, NoNodeFits, Unavailable
from swarmcore.http.messages import error_answer
from swarmcore.model import Drain, GiB
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine

QUEUE, PRIORITY = "com.docker.swarm.queue", "com.docker.swarm.priority"


@pytest.fixture
def engine():
    """An engine with 8 GiB."""
    return ScriptedEngine("n1", 1)


def a_wish(name, memory=8, *, wait="600", **labels):
    """Return a config that waits."""
    return a_config(name=name, memory=int(memory * GiB), labels={QUEUE: wait, **labels})


class Clients:
    """Clients that create at the same time; records the order in which they were served."""

    def __init__(self, fleet, nursery):
        self.served = []
        self.refused = {}
        self._fleet = fleet
        self._nursery = nursery

    async def create(self, config):
        """Begin a create; return when it is done or waits."""
        before = len(self._fleet.cluster.waiting()) + len(self.served) + len(self.refused)
        self._nursery.start_soon(self._create, config)
        with trio.fail_after(5):
            while before == self._count():  # noqa: ASYNC110  (the clock is a mock)
                await trio.sleep(0.01)

    def _count(self):
        return len(self._fleet.cluster.waiting()) + len(self.served) + len(self.refused)

    async def _create(self, config):
        try:
            assert (await self._fleet.create(config)).answer.status == 201
            self.served.append(config.name)
        except NoNodeFits as error:
            self.refused[config.name] = str(error)


def full(engine, number=1):
    """Fill *engine* with that many containers; return their ids."""
    memory = (8 << 30) // number
    return [engine.add(f"old{n}", HostConfig={"Memory": memory}) for n in range(number)]


# ---- who waits


async def test_without_the_label_a_create_fails_at_once(autojump_clock, engine):
    full(engine)
    async with open_fleet(engine) as fleet:
        began = trio.current_time()
        with pytest.raises(NoNodeFits, match="1 memory"):
            await fleet.create(a_config(name="web", memory=GiB))
        assert trio.current_time() == began


@pytest.mark.parametrize("labels", [{}, {QUEUE: "30"}], ids=["option", "label"])
async def test_a_refusal_after_the_wait_says_how_long_it_was(autojump_clock, engine, labels):
    full(engine)
    async with open_fleet(engine, queue_seconds=0 if labels else 30) as fleet:
        began = trio.current_time()
        text = "no node fits: 0 of 1 nodes: 1 memory (needs 1 GiB, most free 0 B on n1), after"
        with pytest.raises(NoNodeFits, match=re.escape(f"{text} waiting 30 s")):
            await fleet.create(a_config(name="web", memory=GiB, labels=labels))
        assert trio.current_time() - began == pytest.approx(30, abs=0.5)
        assert fleet.cluster.waiting() == []
        assert "after waiting 30 s" in fleet.cluster.decisions(1)[0].error


async def test_a_label_of_0_does_not_wait_where_others_do(autojump_clock, engine):
    full(engine)
    async with open_fleet(engine, queue_seconds=600) as fleet:
        with trio.fail_after(1), pytest.raises(NoNodeFits):
            await fleet.create(a_wish("web", wait="0"))


async def test_labels_stay_in_the_container_as_they_were_given(autojump_clock, engine):
    async with open_fleet(engine) as fleet:
        await fleet.create(a_wish("web", wait="30.0", **{PRIORITY: "5"}))
        labels = fleet.cluster.find_container("web").labels
        assert (labels[QUEUE], labels[PRIORITY]) == ("30.0", "5")


@pytest.mark.parametrize("others_wait", [False, True])
async def test_a_permanent_refusal_does_not_wait(autojump_clock, engine, others_wait):
    full(engine)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        if others_wait:
            await clients.create(a_wish("other"))
        with trio.fail_after(1):
            with pytest.raises(NeverFits, match="no node has 9 GiB"):
                await fleet.create(a_wish("huge", memory=9))
            with pytest.raises(Conflict):
                await fleet.create(a_wish("old0"))
            with pytest.raises(BadRequest, match="whole number"):
                await fleet.create(a_wish("web", **{PRIORITY: "high"}))
        nursery.cancel_scope.cancel()


async def test_more_than_the_limit_do_not_wait(autojump_clock, engine):
    full(engine)
    async with open_fleet(engine, queue_limit=2) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        for name in ("one", "two", "three"):
            await clients.create(a_wish(name))
        assert clients.refused.keys() == {"three"}
        assert clients.refused["three"].endswith(", and 2 creates wait already")
        nursery.cancel_scope.cancel()


# ---- what wakes them


async def removal(fleet, engine, ids):
    engine.remove(ids[0])


async def undrain(fleet, engine, ids):
    engine.remove(ids[0])
    await trio.sleep(1)
    await fleet.cluster.drain_node(fleet.node(engine), None)


async def a_new_engine(fleet, engine, ids):
    other = type(engine)("n2", 2)
    fleet.discover(engine, other)


async def an_update(fleet, engine, ids):
    engine.containers[ids[0]]["HostConfig"]["Memory"] = 1 << 20
    engine.say("update", ids[0])


@pytest.mark.parametrize("change", [removal, undrain, a_new_engine, an_update])
async def test_freed_resources_wake_waiting_creates_soon(autojump_clock, engine, change):
    ids = full(engine)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        if change is undrain:
            await fleet.cluster.drain_node(fleet.node(engine), Drain("test", "me", 0.0))
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("web", memory=7))
        await trio.sleep(60)
        assert clients.served == []
        await change(fleet, engine, ids)
        await wait_for(lambda: clients.served == ["web"], 3)
        await wait_for(lambda: fleet.left_behind() == [], 1)


async def test_a_released_claim_wakes_waiting_creates(autojump_clock, engine):
    goes_on = trio.Event()

    async def fail():
        await goes_on.wait()
        return error_answer(400, "no command specified")

    engine.answer("POST", "/create.*name=first", fail)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:

        async def create_first():
            assert (await fleet.create(a_wish("first"))).answer.status == 400

        nursery.start_soon(create_first)
        await wait_for(lambda: fleet.left_behind() != [], 1)
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("second"))
        await trio.sleep(30)
        assert clients.served == []
        goes_on.set()
        await wait_for(lambda: clients.served == ["second"], 1)


# ---- whose turn it is


async def test_waiting_creates_are_served_by_priority_then_by_arrival(autojump_clock, engine):
    ids = full(engine)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        for name, priority in (("one", "0"), ("two", "0"), ("high", "9"), ("low", "-1")):
            await clients.create(a_wish(name, **{PRIORITY: priority}))
        assert [each.name for each in fleet.cluster.waiting()] == ["high", "one", "two", "low"]
        engine.remove(ids[0])
        for number, name in enumerate(["high", "one", "two", "low"]):
            await wait_for(lambda n=number: len(clients.served) == n + 1, 3)
            engine.remove(fleet.cluster.find_container(name).id)
        assert clients.served == ["high", "one", "two", "low"]


async def test_a_later_create_that_may_wait_does_not_overtake(autojump_clock, engine):
    ids = full(engine)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("first"))
        engine.remove(ids[0], quiet=True)
        fleet.cluster.membership.by_node(fleet.node(engine).id).forget_container(ids[0])
        await clients.create(a_wish("second"))
        await wait_for(lambda: clients.served == ["first"], 15)
        assert [each.name for each in fleet.cluster.waiting()] == ["second"]
        nursery.cancel_scope.cancel()


async def test_small_creates_overtake_a_big_one_a_limited_number_of_times(autojump_clock, engine):
    ids = full(engine, number=8)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("big"))
        for number in range(20):
            await clients.create(a_wish(f"small{number}", memory=1))
        gone = 0
        while "big" not in clients.served:
            done = len(clients.served)
            if ids:
                engine.remove(ids.pop())
            else:
                engine.remove(fleet.cluster.find_container(clients.served[gone]).id)
                gone += 1
            await trio.sleep(1)
            assert len(clients.served) - done <= 1
        assert clients.served == [*(f"small{n}" for n in range(8)), "big"]
        assert next(each.name for each in fleet.cluster.waiting()) == "small8"
        nursery.cancel_scope.cancel()


async def test_resources_kept_for_a_big_create_are_free_when_it_gives_up(autojump_clock, engine):
    ids = full(engine, number=16)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("big", wait="60"))
        for number in range(9):
            await clients.create(a_wish(f"small{number}", memory=0.5))
        for _ in range(9):
            engine.remove(ids.pop())
            await trio.sleep(1)
        assert len(clients.served) == 8
        await wait_for(lambda: "big" in clients.refused, 60)
        await wait_for(lambda: len(clients.served) == 9, 1)


async def test_a_big_create_keeps_no_node_that_is_too_small_for_it(autojump_clock, engine):
    small_engine = ScriptedEngine("n2", 2)
    small_engine.memory = 4 << 30
    full(engine)
    ids = [small_engine.add(f"x{n}", HostConfig={"Memory": 1 << 28}) for n in range(16)]
    async with open_fleet(engine, small_engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("big"))
        for number in range(12):
            await clients.create(a_wish(f"small{number}", memory=0.25))
        for number in range(12):
            small_engine.remove(ids.pop())
            await wait_for(lambda n=number: len(clients.served) == n + 1, 3)
        assert [each.name for each in fleet.cluster.waiting()] == ["big"]
        nursery.cancel_scope.cancel()


# ---- what ends it


async def test_a_disconnected_client_no_longer_waits(autojump_clock, engine):
    ids = full(engine)
    async with open_fleet(engine) as fleet:
        with trio.move_on_after(5):
            await fleet.create(a_wish("web"))
        await wait_for(lambda: fleet.cluster.waiting() == [], 1)
        engine.remove(ids[0])
        await trio.sleep(30)
        assert engine.containers == {}
        assert fleet.left_behind() == []


async def test_one_of_two_creates_that_wait_for_one_name_is_served(autojump_clock, engine):
    ids, conflicts = full(engine), []

    async def second(fleet):
        with pytest.raises(Conflict):
            await fleet.create(a_wish("web", memory=1))
        conflicts.append(1)

    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("web", memory=1))
        nursery.start_soon(second, fleet)
        await wait_for(lambda: len(fleet.cluster.waiting()) == 2, 1)
        engine.remove(ids[0])
        await wait_for(lambda: conflicts == [1], 5)
        assert clients.served == ["web"]


async def test_a_stopping_manager_refuses_waiting_creates(autojump_clock, engine):
    full(engine)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:

        async def create():
            with pytest.raises(Unavailable, match="the manager is stopping"):
                await fleet.create(a_wish("web"))

        nursery.start_soon(create)
        await wait_for(lambda: len(fleet.cluster.waiting()) == 1, 1)
        fleet.cluster.end_waiting()


# ---- what is told of them


async def test_waiting_creates_are_listed_with_their_waits(autojump_clock, engine):
    full(engine)
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        clients = Clients(fleet, nursery)
        await clients.create(a_wish("web", wait="60", **{PRIORITY: "3"}))
        await trio.sleep(20)
        (waiting,) = fleet.cluster.waiting()
        assert (waiting.name, waiting.image, waiting.priority) == ("web", "busybox", 3)
        assert waiting.waited_seconds == pytest.approx(20, abs=0.5)
        assert waiting.left_seconds == pytest.approx(40, abs=0.5)
        assert waiting.overtaken == 0
        nursery.cancel_scope.cancel()
