"""Small objects are read by requests that are sent at once, where the engine answers those."""

import pytest
import trio

from swarmcore.engine import client as module
from swarmcore.engine.client import EngineClient
from swarmcore.errors import EngineUnreachable
from tests.component.http.client.socket_engine import OK, ScriptedEngine, asking

TARGETS = [f"/{number}" for number in range(3)]


class Listener:
    label = "n1"

    def __init__(self):
        self.contacts, self.failures = 0, []

    def contacted(self):
        self.contacts += 1

    def lost_contact(self, error):
        self.failures.append(error)


@pytest.fixture
def listener():
    return Listener()


async def silent(stream):
    await trio.sleep_forever()


class BreakingEngine(ScriptedEngine):
    """Closes its first connection after one answer."""

    async def serve(self, stream):
        if self.connections:
            await super().serve(stream)
            return
        self.connections += 1
        async with stream:
            await stream.receive_some()
            await stream.send_all(OK)


async def test_an_engine_that_answers_no_joined_requests_is_asked_one_by_one(listener, monkeypatch):
    """The scripted engine takes several requests for an incomplete one."""
    monkeypatch.setattr(module, "_NEXT_SECONDS", 0.1)
    engine = ScriptedEngine(OK)
    async with asking(engine) as http:
        client = EngineClient(http, listener)
        for _ in range(2):
            answers = await client.get_several(TARGETS, seconds=10)
            assert [answer.body for answer in answers] == [b"ok"] * 3
    assert [seen.split()[1].decode() for seen in engine.seen] == TARGETS * 2
    assert engine.connections == 2  # the second time, nothing is sent at once
    assert (listener.contacts, listener.failures) == (6, [])


async def test_a_connection_that_breaks_is_no_failure_of_the_engine(listener):
    engine = BreakingEngine(OK)
    async with asking(engine) as http:
        answers = await EngineClient(http, listener).get_several(TARGETS, seconds=10)
    assert [answer.body for answer in answers] == [b"ok"] * 3
    assert [seen.split()[1].decode() for seen in engine.seen] == TARGETS[1:]
    assert (listener.contacts, listener.failures) == (3, [])


async def test_a_silent_engine_is_a_failure(listener, monkeypatch):
    monkeypatch.setattr(module, "_NEXT_SECONDS", 0.1)
    async with asking(ScriptedEngine(silent)) as http:
        client = EngineClient(http, listener)
        with pytest.raises(EngineUnreachable, match="engine n1 did not answer within 0 s"):
            await client.get_several(TARGETS, seconds=0.1)
    assert len(listener.failures) == 1


async def test_an_engine_that_has_left_is_not_asked(listener):
    engine = ScriptedEngine(OK)
    async with asking(engine) as http:
        client = EngineClient(http, listener)
        client.close()
        with pytest.raises(EngineUnreachable, match="has left the cluster"):
            await client.get_several(TARGETS, seconds=1)
    assert engine.seen == []
