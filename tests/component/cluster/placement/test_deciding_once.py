"""A create is decided on once; it is decided on again only after a change of the cluster."""

import re

import pytest
import trio

from swarmcore.errors import EngineUnreachable, NoNodeFits
from swarmcore.http.messages import error_answer
from swarmcore.model import Drain, GiB
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container
from tests.component.fleets import open_fleet
from tests.scripted_engine import ScriptedEngine

CREATE = "^/containers/create"
FULL_DISK = error_answer(500, "no space left on device")


@pytest.fixture
def engines():
    """Three engines with 8 GiB each."""
    return [ScriptedEngine(f"n{number}", number) for number in (1, 2, 3)]


@pytest.fixture
def decided(monkeypatch):
    """Record the container's name of each decision."""
    names = []
    decide = Scheduler.decide

    def counted(self, config, nodes, **options):
        names.append(config.name)
        return decide(self, config, nodes, **options)

    monkeypatch.setattr(Scheduler, "decide", counted)
    return names


def a_big_one(name="web"):
    return a_config(name=name, memory=8 * GiB)


def fill(engines):
    """Fill the memory of *engines*; return the ids of the containers that take it."""
    return [one.add(f"old-{one.name}", HostConfig={"Memory": 8 * GiB}) for one in engines]


@pytest.mark.parametrize("seconds", [0, 600], ids=["no queue", "queue"])
async def test_a_successful_create_takes_one_decision(autojump_clock, engines, decided, seconds):
    async with open_fleet(*engines, queue_seconds=seconds) as fleet:
        await fleet.create(a_big_one())
        assert decided == ["web"]


async def test_a_refusal_takes_one_decision(autojump_clock, engines, decided):
    fill(engines)
    async with open_fleet(*engines) as fleet:
        with pytest.raises(NoNodeFits):
            await fleet.create(a_big_one())
        assert decided == ["web"]


async def test_the_refusal_after_waiting_takes_no_decision(autojump_clock, engines, decided):
    fill(engines)
    async with open_fleet(*engines, queue_seconds=5) as fleet:
        text = "0 of 3 nodes: 3 memory (needs 8 GiB, most free 0 B on n1), after waiting 5 s"
        with pytest.raises(NoNodeFits, match=re.escape(text)):
            await fleet.create(a_big_one())
        assert decided == ["web"]
        record = fleet.cluster.decisions(1)[0]
        assert (record.asked, record.fitting, record.refused) == (3, 0, {"memory": 3})


async def test_a_waiting_create_is_decided_on_once_for_each_change(
    autojump_clock, engines, decided
):
    ids = fill(engines)
    small = engines[0].add("small", HostConfig={})
    async with open_fleet(*engines, queue_seconds=600) as fleet:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fleet.create, a_big_one())
            await trio.sleep(1)
            assert decided == ["web"]
            engines[0].remove(small)
            await trio.sleep(1)
            assert len(decided) == 2
            engines[1].remove(ids[1])
        assert len(decided) == 3
        assert fleet.cluster.find_container("web").node_id == fleet.node(engines[1]).id


async def test_the_last_refusal_counts_what_changed_meanwhile(autojump_clock, engines, decided):
    fill(engines)
    async with open_fleet(*engines, queue_seconds=5) as fleet, trio.open_nursery() as nursery:

        async def drain():
            await trio.sleep(1)
            await fleet.cluster.drain_node(fleet.node(engines[2]), Drain("new disk"))

        nursery.start_soon(drain)
        with pytest.raises(NoNodeFits, match=r"2 memory .*, 1 drained \(new disk\), after waiting"):
            await fleet.create(a_big_one())
        assert len(decided) == 2


# ---- alternates


@pytest.mark.parametrize("answer", [FULL_DISK, None], ids=["refuses", "cannot be reached"])
async def test_the_second_node_of_the_ranking_is_the_alternate(
    autojump_clock, engines, decided, answer
):
    async def refuse():
        if answer is None:
            raise EngineUnreachable("n1", "gone", sent=False)
        return answer

    async with open_fleet(*engines) as fleet:
        engines[0].answer("POST", CREATE, refuse)
        placed = await fleet.create(a_config(name="web"))
        assert placed.node.name == "n2"
        assert decided == ["web"]
        latest, first = fleet.cluster.decisions(10)
        assert (first.cause, first.node, first.asked) == ("create", "n1", 3)
        assert (latest.cause, latest.node, latest.fitting) == ("alternate", "n2", 2)


async def test_after_a_change_the_alternate_is_decided_on_again(autojump_clock, engines, decided):
    async def refuse():
        fill(engines[1:2])
        await trio.sleep(1)
        return FULL_DISK

    async with open_fleet(*engines) as fleet:
        engines[0].answer("POST", CREATE, refuse)
        assert (await fleet.create(a_big_one())).node.name == "n3"
        assert decided == ["web", "web"]


async def test_an_alternate_is_never_taken_unchecked(autojump_clock, engines, decided):
    async with open_fleet(*engines) as fleet:

        async def refuse():
            # Nobody tells of it: no event, no list.
            old = a_container("old", memory=8 * GiB)
            fleet.node(engines[1]).put_container(old)
            return FULL_DISK

        engines[0].answer("POST", CREATE, refuse)
        assert (await fleet.create(a_big_one())).node.name == "n3"
        assert decided == ["web", "web"]


async def test_an_alternate_that_has_left_is_not_asked(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:

        async def refuse():
            fleet.discover(engines[0], engines[2])
            return FULL_DISK

        engines[0].answer("POST", CREATE, refuse)
        assert (await fleet.create(a_big_one())).node.name == "n3"
        assert engines[1].paths("POST") == []


async def test_creates_that_fail_together_do_not_all_go_to_one_alternate(autojump_clock, engines):
    engines[0].answer("POST", CREATE, FULL_DISK)
    async with open_fleet(*engines) as fleet:
        async with trio.open_nursery() as nursery:
            for number in range(9):
                nursery.start_soon(fleet.create, a_config(name=f"web{number}"))
        many = [len(one.containers) for one in engines]
        assert many[0] == 0
        assert abs(many[1] - many[2]) <= 1
