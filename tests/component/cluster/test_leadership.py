"""Only the primary of several managers creates; it reads all engines before it does."""

import pytest
import trio

from swarmcore.cluster import ClusterSettings, open_cluster
from swarmcore.errors import Unavailable
from swarmcore.model import Drain
from swarmcore.testing.builders import a_config, a_request
from tests.component.fleets import Fleet, open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


class Leadership:
    """A leadership that is primary until a test changes it."""

    is_primary, primary = True, ""

    def check(self):
        if not self.is_primary:
            raise Unavailable("not the primary")


async def test_a_replica_creates_renames_and_chooses_nothing(autojump_clock):
    engine, leadership = ScriptedEngine(), Leadership()
    async with open_fleet(engine, leadership=leadership) as fleet:
        await fleet.create(a_config(name="web"))
        leadership.is_primary = False
        with pytest.raises(Unavailable):
            await fleet.create(a_config(name="db"))
        container = fleet.cluster.find_container("web")
        with pytest.raises(Unavailable):
            await fleet.cluster.rename_container(container, "other", a_request("POST", "/x"))
        with pytest.raises(Unavailable):
            fleet.cluster.choose(a_config())
        assert len(engine.containers) == 1
        assert fleet.left_behind() == []


async def test_a_create_under_way_is_not_sent_once_another_may_lead(autojump_clock):
    """The manager loses its mandate while it connects to the engine."""
    engine, leadership = ScriptedEngine(), Leadership()
    async with open_fleet(engine, leadership=leadership) as fleet:
        engine.freeze()

        async def create():
            with pytest.raises(Unavailable):
                await fleet.create(a_config(name="web"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(create)
            await wait_for(fleet.left_behind)
            leadership.is_primary = False
            engine.thaw()
        assert "/containers/create" not in engine.paths("POST")
        assert fleet.left_behind() == []


async def test_a_setting_that_is_stored_after_the_mandate_has_ended_is_not_acknowledged(
    autojump_clock,
):
    """The next primary may have read the settings before."""
    engine, leadership = ScriptedEngine(), Leadership()
    async with open_fleet(engine, leadership=leadership) as fleet:
        node = fleet.node(engine)
        await fleet.cluster.drain_node(node, Drain("new disk"))
        leadership.is_primary = False  # while the store is asked
        with pytest.raises(Unavailable):
            await fleet.cluster.drain_node(node, None)
        with pytest.raises(Unavailable):
            await fleet.cluster.label_node(node, {"zone": "b"})


async def test_a_refresh_finds_changes_without_events(autojump_clock):
    engine = ScriptedEngine()
    async with open_fleet(engine) as fleet:
        engine.add("quiet", quiet=True)
        await fleet.cluster.refresh(seconds=3)
        assert fleet.cluster.find_container("quiet").name == "quiet"


async def test_an_engine_that_hangs_does_not_hold_a_refresh_up(autojump_clock):
    engines = [ScriptedEngine("n1", 1), ScriptedEngine("n2", 2)]
    async with open_fleet(*engines) as fleet:
        engines[0].freeze()
        engines[1].add("quiet", quiet=True)
        began = trio.current_time()
        await fleet.cluster.refresh(seconds=3)
        assert trio.current_time() == began + 3
        assert fleet.cluster.find_container("quiet").name == "quiet"


async def test_a_cluster_without_engines_is_known_at_once(autojump_clock):
    async with open_fleet() as fleet:
        began = trio.current_time()
        await fleet.cluster.refresh(seconds=3)
        assert trio.current_time() == began


async def test_a_refresh_waits_for_the_first_list(autojump_clock):
    cluster = Fleet([], ClusterSettings()).cluster
    async with open_cluster(cluster):
        began = trio.current_time()
        await cluster.refresh(seconds=3)
        assert trio.current_time() == began + 3


async def test_a_refresh_waits_for_engines_that_were_not_met_yet(autojump_clock):
    engines = [ScriptedEngine("n1", 1), ScriptedEngine("n2", 2)]
    async with open_fleet(engines[0]) as fleet:
        engines[1].add("early", quiet=True)
        fleet.discover(*engines)
        await fleet.cluster.refresh(seconds=3)
        assert fleet.cluster.find_container("early").name == "early"
