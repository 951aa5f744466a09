"""Requests of several tasks that are sent at once: each task gets an answer to its question."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from swarmcore.engine.cache.asked_together import AskedTogether
from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer


class Engine:
    def __init__(self):
        self.alone, self.at_once = [], []
        self.failure = None
        self.answering = trio.Event()
        self.answering.set()
        self.together = AskedTogether(self.ask, self.ask_several)

    async def ask(self, path):
        self.alone.append(path)
        return Answer(200, (), path.encode())

    async def ask_several(self, paths):
        self.at_once.append(list(paths))
        await self.answering.wait()
        if self.failure:
            raise self.failure
        return [Answer(200, (), path.encode()) for path in paths]


@pytest.fixture
def engine():
    return Engine()


async def note(engine, path, answers):
    try:
        answers[path] = (await engine.together.ask(path)).body
    except EngineUnreachable as error:
        answers[path] = error


async def test_a_batch_is_sent_when_each_path_was_asked_for(engine):
    answers = {}
    with engine.together.batch("/a", "/b"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note, engine, "/a", answers)
            await wait_all_tasks_blocked()
            assert (engine.at_once, engine.alone) == ([], [])
            assert (await engine.together.ask("/c")).body == b"/c"
            nursery.start_soon(note, engine, "/b", answers)
    assert answers == {"/a": b"/a", "/b": b"/b"}
    assert (engine.at_once, engine.alone) == ([["/a", "/b"]], ["/c"])


async def test_a_second_question_for_a_path_is_asked_alone(engine):
    answers = {}
    engine.answering = trio.Event()
    with engine.together.batch("/a"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note, engine, "/a", answers)
            await wait_all_tasks_blocked()
            await engine.together.ask("/a")  # the batch may have been answered before it
            engine.answering.set()
    assert engine.alone == ["/a"]


async def test_a_failure_is_that_of_each(engine):
    answers, engine.failure = {}, EngineUnreachable("n1", "it is gone")
    with engine.together.batch("/a", "/b"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note, engine, "/a", answers)
            nursery.start_soon(note, engine, "/b", answers)
    assert answers == dict.fromkeys(("/a", "/b"), engine.failure)


async def test_others_ask_alone_if_the_task_that_sent_the_batch_is_cancelled(engine):
    answers = {}
    engine.answering = trio.Event()
    with engine.together.batch("/a", "/b"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(note, engine, "/a", answers)
            await wait_all_tasks_blocked()
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_soon, scope)
                await engine.together.ask("/b")
    assert answers == {"/a": b"/a"}
    assert engine.alone == ["/a"]


async def _cancel_soon(scope):
    await wait_all_tasks_blocked()
    scope.cancel()
