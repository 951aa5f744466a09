"""An engine whose clock is set by hours: no event is lost or repeated."""

from datetime import UTC, datetime

import pytest
import trio

from swarmcore import clock
from swarmcore.http.messages import json_answer
from swarmcore.model import State
from tests.component.fleets import living, wait_for, wait_for_state

HOURS = 5 * 3600


def made(owner):
    """Return the ids of the containers whose creation was published."""
    return [event.actor_id for event in owner.events if event.verb == "create"]


@pytest.mark.parametrize("hours", [-HOURS, HOURS], ids=["back", "forward"])
async def test_events_around_a_step_of_an_engines_clock_come_once(
    autojump_clock, dockerd, owner, engine, hours
):
    dockerd.clock = clock.unix_nanoseconds()

    async def info():
        moment = datetime.fromtimestamp(dockerd.clock / 1e9, UTC).isoformat()
        return json_answer({**described, "SystemTime": moment})

    described = (await dockerd.request("GET", "/info")).json()
    dockerd.answer("GET", "^/info", info)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        ids = [dockerd.add("before")]
        await wait_for(lambda: made(owner) == ids)
        # The stream breaks; the clock is set, and something happens, before it is opened again.
        dockerd.cut_events()
        dockerd.clock += hours * 10**9
        ids.append(dockerd.add("meanwhile"))
        await wait_for(lambda: made(owner) == ids)
        ids.append(dockerd.add("afterwards"))
        await wait_for(lambda: made(owner) == ids)
        await trio.sleep(120)
        assert made(owner) == ids
