"""A created container holds its port until it is started or is given up."""

from datetime import UTC, datetime

import pytest
import trio

from swarmcore.errors import NoNodeFits
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine

PORT = {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}
WEB = {"ports": ["8080:80"]}


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2)]


def date_by_the_clock(engine):
    """Date the engine's next containers by the test's clock."""

    async def dated():
        for detail in engine.containers.values():
            detail["Created"] = datetime.now(UTC).isoformat()

    engine.answer("GET", "/containers/json", dated)


async def test_concurrent_and_sequential_creates_never_share_a_port(autojump_clock, engines):
    for engine in engines:
        date_by_the_clock(engine)
    outcomes = []

    async def create(number):
        try:
            placed = await fleet.create(a_config(name=f"web-{number}", **WEB))
            outcomes.append(placed.node.name)
        except NoNodeFits:
            outcomes.append("refused")

    async with open_fleet(*engines) as fleet:
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(create, number)
        assert sorted(outcomes) == ["n1", "n2", "refused", "refused"]
        await trio.sleep(1000)  # by trio's clock, which is not the engines'
        with pytest.raises(NoNodeFits, match="2 port 8080/tcp"):
            await fleet.create(a_config(name="late", **WEB))


async def test_a_container_that_nobody_starts_is_given_up(autojump_clock, engines):
    """By default, scripted engines give containers a date in the past."""
    async with open_fleet(*engines) as fleet:
        for number in range(2):
            await fleet.create(a_config(name=f"idle-{number}", **WEB))
        nodes = [fleet.node(engine) for engine in engines]
        await wait_for(lambda: not any(node.starting for node in nodes), 2)
        placed = await fleet.create(a_config(name="web", **WEB))
        assert placed.answer.status == 201


async def test_a_waiting_create_gets_the_port_when_its_holder_is_given_up(autojump_clock, engines):
    async with open_fleet(engines[0], queue_seconds=60) as fleet:
        await fleet.create(a_config(name="idle", **WEB))
        began = trio.current_time()
        await fleet.create(a_config(name="web", **WEB))
        assert trio.current_time() - began < 5


@pytest.mark.parametrize(
    ("state", "error", "free"),
    [("running", "", False), ("exited", "", True), ("created", "port is already allocated", True)],
)
async def test_a_start_decides_who_holds_the_port(autojump_clock, engines, state, error, free):
    async with open_fleet(engines[0]) as fleet:
        date_by_the_clock(engines[0])
        await fleet.create(a_config(name="first", **WEB))
        ((id, detail),) = engines[0].containers.items()
        detail["State"] |= {"Error": error, "Running": state == "running"}
        engines[0].set_state(id, state, "start")
        node = fleet.node(engines[0])
        await wait_for(lambda: not node.starting, 2)
        if free:
            await fleet.create(a_config(name="second", **WEB))
        else:
            with pytest.raises(NoNodeFits, match="8080/tcp first"):
                await fleet.create(a_config(name="second", **WEB))
