"""Creates whose image is missing: other nodes, copied images, and the client's pull."""

from functools import partial

import pytest
import trio

from swarmcore.errors import Conflict, EngineError, NoNodeFits
from swarmcore.model import GiB, State
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2, 3)]


def lacking(engines, *, holders=()):
    """Remove the image from all engines except *holders*."""
    for engine in engines:
        if engine not in holders:
            engine.images = set()


async def pull(engine, image="busybox:latest"):
    """Add the image to an engine, as a pull does."""
    engine.images.add(image)
    engine.say("pull", image, kind="image")


def created_on(engines):
    """Return the names of the engines that got a create, sorted."""
    return [one.name for one in engines for path in one.paths("POST") if path.endswith("/create")]


async def test_a_missing_image_is_looked_for_on_other_nodes_first(autojump_clock, engines):
    lacking(engines, holders=[engines[2]])
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web"))
        assert (placed.answer.status, placed.node.name) == (201, "n3")


class Carrier:
    """Copies images, or fails with an error; records each copy."""

    def __init__(self, fleet, error=None):
        self.fleet, self.error, self.asked = fleet, error, []

    async def __call__(self, image, source, target):
        self.asked.append((image, source.name, target.name))
        if self.error is not None:
            raise self.error
        engine = self.fleet.scripted[target.address]
        engine.images.add(f"{image}:latest")
        await self.fleet.cluster.engine(target.id).refresh_images()


async def test_a_create_continues_on_the_node_to_which_its_image_was_copied(
    autojump_clock, engines
):
    lacking(engines, holders=[engines[2]])
    async with open_fleet(*engines) as fleet:
        carrier = Carrier(fleet)
        placed = await fleet.create(a_config(name="web"), carry=carrier)
        assert (placed.answer.status, placed.node.name) == (201, "n1")
        assert carrier.asked == [("busybox", "n3", "n1")]
        assert [(one.cause, one.node) for one in fleet.cluster.decisions(9)] == [("create", "n1")]
        await fleet.create(a_config(name="web2"), carry=carrier)
        await fleet.create(a_config(name="web3"), carry=carrier)
        assert carrier.asked == [("busybox", "n3", "n1"), ("busybox", "n1", "n2")]
        assert fleet.left_behind() == []


@pytest.mark.parametrize(
    ("failing", "counted"), [("n1", {"n1": 1, "n3": 0}), ("n3", {"n1": 0, "n3": 0})]
)
async def test_a_create_goes_to_the_image_if_the_copy_fails(
    autojump_clock, engines, failing, counted
):
    lacking(engines, holders=[engines[2]])
    async with open_fleet(*engines) as fleet:
        carrier = Carrier(fleet, EngineError(failing, "connection reset"))
        placed = await fleet.create(a_config(name="web"), carry=carrier)
        assert (placed.answer.status, placed.node.name) == (201, "n3")
        second, first = fleet.cluster.decisions(9)
        assert (first.node, first.failure) == (
            "n1", "carrying the image from n3 failed: connection reset",
        )  # fmt: skip
        assert (second.node, second.cause, second.failure) == ("n3", "alternate", "")
        nodes = {node.name: node for node in fleet.cluster.nodes()}
        assert {name: len(nodes[name].failed_pulls) for name in counted} == counted
        assert fleet.left_behind() == []


async def test_nothing_is_copied_for_a_disconnected_client(autojump_clock, engines):
    lacking(engines, holders=[engines[2]])
    async with open_fleet(*engines) as fleet:
        began = trio.Event()

        async def carry(image, source, target):
            began.set()
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(fleet.create, a_config(name="web"), carry=carry))
            await began.wait()
            nursery.cancel_scope.cancel()
        await wait_for(lambda: fleet.left_behind() == [])
        assert created_on(engines) == []


async def test_a_client_pulls_where_its_container_was_placed_and_comes_back_to_it(
    autojump_clock, engines
):
    lacking(engines)
    async with open_fleet(*engines) as fleet:
        config = a_config(name="web", memory=GiB)
        missing = await fleet.create(config)
        assert missing.answer.status == 404
        assert missing.answer.message == "No such image: busybox:latest"
        for spelling in ("busybox", "busybox:latest", "docker.io/library/busybox:latest"):
            assert fleet.pull_targets(spelling) == [missing.node.name]
        assert missing.node.used_memory == GiB
        await pull(fleet.scripted[missing.node.address])
        await trio.sleep(1)
        for number in range(3):  # the emptier nodes do not tempt it away
            fleet.scripted[missing.node.address].add(f"other{number}")
        placed = await fleet.create(config)
        assert (placed.answer.status, placed.node) == (201, missing.node)
        assert placed.node.used_memory == GiB
        assert fleet.left_behind() == []
        assert fleet.pull_targets("busybox") == ["n1", "n2", "n3"]


async def test_another_clients_pull_goes_to_all_engines(autojump_clock, engines):
    lacking(engines)
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"), client="10.0.0.1")
        assert fleet.pull_targets("busybox", client="10.0.0.2") == ["n1", "n2", "n3"]
        assert fleet.pull_targets("alpine", client="10.0.0.1") == ["n1", "n2", "n3"]


async def test_parallel_creates_of_one_client_each_come_back_to_their_own_node(
    autojump_clock, engines
):
    lacking(engines)
    async with open_fleet(*engines) as fleet:
        missing = [await fleet.create(a_config()) for _ in range(6)]
        assert sorted(one.node.name for one in missing) == ["n1", "n1", "n2", "n2", "n3", "n3"]
        assert fleet.pull_targets("busybox") == ["n1", "n2", "n3"]
        for engine in engines:
            await pull(engine)
        await trio.sleep(1)
        placed = [await fleet.create(a_config()) for _ in range(6)]
        assert [one.answer.status for one in placed] == [201] * 6
        assert [one.node for one in placed] == [one.node for one in missing]
        assert fleet.left_behind() == []


async def test_a_pending_pull_does_not_reserve_the_name(autojump_clock, engines):
    lacking(engines)
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"), client="10.0.0.1")
        await pull(engines[1])
        await trio.sleep(1)
        placed = await fleet.create(a_config(name="web"), client="10.0.0.2")
        assert placed.answer.status == 201
        with pytest.raises(Conflict):
            await fleet.create(a_config(name="web"), client="10.0.0.1")


@pytest.mark.parametrize(("pulls", "seconds"), [(True, 60), (False, 15)])
async def test_a_claim_without_a_second_create_expires(autojump_clock, engines, pulls, seconds):
    lacking(engines)
    async with open_fleet(engines[0], reservation_seconds=60) as fleet:
        await fleet.create(a_config(name="web", ports=["8080:80"]), client="10.0.0.1")
        if pulls:
            assert fleet.pull_targets("busybox", client="10.0.0.1") == ["n1"]
        await trio.sleep(seconds - 2)
        with pytest.raises(NoNodeFits):
            await fleet.create(a_config(name="web2", ports=["8080:80"]), client="10.0.0.2")
        await trio.sleep(4)
        await pull(engines[0])
        await trio.sleep(1)
        again = a_config(name="web2", ports=["8080:80"])
        assert (await fleet.create(again, client="10.0.0.2")).answer.status == 201


async def test_a_clients_own_pending_pull_does_not_block_it(autojump_clock, engines):
    async with open_fleet(engines[0]) as fleet:
        misspelt = a_config("bussybox", name="web", ports=["8080:80"])
        assert (await fleet.create(misspelt)).answer.status == 404
        corrected = a_config("busybox", name="web", ports=["8080:80"])
        assert (await fleet.create(corrected)).answer.status == 201
        assert fleet.left_behind() == []


async def test_a_pull_whose_node_was_lost_goes_to_all_engines(autojump_clock, engines):
    lacking(engines)
    async with open_fleet(*engines) as fleet:
        missing = await fleet.create(a_config(name="web"))
        lost = fleet.scripted[missing.node.address]
        lost.kill()
        await wait_for(lambda: missing.node.state is State.UNHEALTHY)
        others = [engine for engine in engines if engine is not lost]
        assert fleet.pull_targets("busybox") == [engine.name for engine in others]
        await pull(others[0])
        await trio.sleep(1)
        placed = await fleet.create(a_config(name="web"))
        assert (placed.answer.status, placed.node.name) == (201, others[0].name)
