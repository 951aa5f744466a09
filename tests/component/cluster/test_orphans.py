"""Creates without an answer: containers that an engine makes late, and unknown outcomes."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import trio

from swarmcore.errors import Conflict, EngineUnreachable
from swarmcore.http.messages import Answer, error_answer
from swarmcore.model import GiB, State
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


class Late:
    """Breaks the connection of creates, and makes their containers later."""

    def __init__(self, engine):
        self.engine = engine
        self.removed = []
        #: What a removal answers instead of doing it.
        self.refusals = []
        self._asked = []
        self._leaving = ""
        self._request = engine.request
        engine.request = self._listen
        engine.answer("POST", "/create", self._break_off)
        engine.answer("DELETE", "/containers/", self._remove)

    def make(self, state="created"):
        """Make the container of the last create; return its id."""
        target, body = self._asked[-1]
        labels = body.pop("Labels")
        name = parse_qs(urlsplit(target).query)["name"][0]
        return self.engine.add(name, state=state, labels=labels, **body)

    async def _listen(self, method, target, *, body=None, **options):
        if target.partition("?")[0].endswith("/create"):
            self._asked.append((target, json.loads(body)))
        if method == "DELETE":
            self._leaving = urlsplit(target).path.rpartition("/")[2]
        return await self._request(method, target, body=body, **options)

    async def _break_off(self):
        raise EngineUnreachable(self.engine.name, "reset", sent=True)

    async def _remove(self):
        if self.refusals:
            return self.refusals.pop(0)
        self.engine.remove(self._leaving)
        self.removed.append(self._leaving)
        return Answer(204)


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2)]


async def test_a_late_container_is_removed_after_the_create_used_another_node(
    autojump_clock, engines
):
    late = Late(engines[0])
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web", memory=GiB))
        assert placed.node.name == "n2"
        id = late.make()
        await wait_for(lambda: late.removed == [id], 5)
        assert fleet.cluster.find_container("web").node_id == placed.node.id
        await wait_for(lambda: fleet.node(engines[0]).used_memory == 0, 5)


async def test_a_removal_that_fails_is_tried_when_the_engine_is_read_again(autojump_clock, engines):
    late = Late(engines[0])
    late.refusals = [error_answer(500, "device busy")]
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"))
        id = late.make()
        await wait_for(lambda: late.refusals == [], 5)
        assert late.removed == []
        engines[0].cut_events()
        await wait_for(lambda: late.removed == [id], 10)


async def test_a_late_container_that_was_started_stays(autojump_clock, engines):
    late = Late(engines[0])
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"))
        id = late.make("running")
        await wait_for(lambda: id in fleet.node(engines[0]).containers, 5)
        await trio.sleep(5)
        assert late.removed == []


async def test_a_container_with_a_reused_swarm_id_stays(autojump_clock, engines):
    late = Late(engines[0])
    own = a_config(name="web", labels={"com.docker.swarm.id": "mine"})
    async with open_fleet(*engines[:1]) as fleet:
        with pytest.raises(EngineUnreachable):
            await fleet.create(own)
        engines[0].instead = [each for each in engines[0].instead if each[0] == "DELETE"]
        assert (await fleet.create(own)).answer.status == 201
        await trio.sleep(5)
        assert late.removed == []
        assert fleet.cluster.find_container("web").state == "created"


async def test_a_name_in_doubt_stays_taken_until_its_engine_is_back(autojump_clock, engines):
    engine = engines[0]
    async with open_fleet(*engines) as fleet:
        engine.freeze()
        with trio.fail_after(60), pytest.raises(EngineUnreachable, match="is unknown"):
            await fleet.create(a_config(name="web"))
        await wait_for(lambda: fleet.node(engine).state is State.UNHEALTHY)
        await trio.sleep(3600)
        with pytest.raises(Conflict):
            await fleet.create(a_config(name="web"))
        engine.thaw()
        await fleet.wait_healthy(engine)
        await wait_for(lambda: fleet.left_behind() == [], 62)
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


async def test_a_name_in_doubt_is_free_when_its_engine_leaves(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        engines[0].freeze()
        with trio.fail_after(60), pytest.raises(EngineUnreachable, match="is unknown"):
            await fleet.create(a_config(name="web"))
        await wait_for(lambda: fleet.node(engines[0]).state is State.UNHEALTHY)
        fleet.discover(engines[1])
        await trio.sleep(62)
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


async def test_a_container_that_appears_after_the_wait_is_removed(autojump_clock, engines):
    async def never():
        await trio.sleep_forever()

    late = Late(engines[0])
    engines[0].answer("POST", "/create", never)
    async with open_fleet(*engines) as fleet:
        async with trio.open_nursery() as nursery:

            async def create():
                with pytest.raises(EngineUnreachable, match="is unknown"):
                    await fleet.create(a_config(name="web"))

            nursery.start_soon(create)
            await trio.sleep(1)
            engines[0].freeze()
        engines[0].thaw()
        await fleet.wait_healthy(engines[0])
        await wait_for(lambda: fleet.left_behind() == [], 120)
        engines[0].instead = [each for each in engines[0].instead if each[0] == "DELETE"]
        id = late.make()
        await wait_for(lambda: late.removed == [id], 5)
