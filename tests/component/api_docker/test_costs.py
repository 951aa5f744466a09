"""What a request costs the manager, as counts: system calls, tasks, steps of Python, and memory.

The engine runs in a thread of its own, and the client in another one, so that only the manager's
work is counted.  How often the manager has to wait for them depends on how busy the machine is, and
each wait takes some steps: so the steps of the request with the fewest are a constant, and those of
half of the requests have a limit.
"""

import gc
import os
import socket
import sys
import threading
from array import array
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import trio

from swarmcore.http import plain_sockets
from swarmcore.testing.embedded import EmbeddedEngine

TIMES = 1000


@dataclass
class Costs:
    """Counts for each request.

    Attributes:
        sends, receives: system calls that moved bytes.
        tasks: tasks that were started.
        calls: Python functions that were called or resumed, for the request with the fewest.
        usual_calls: the same for the median request, which waits at most once for each answer.
        blocks: blocks of memory that are still allocated.
    """

    sends: float
    receives: float
    tasks: float
    calls: int
    usual_calls: int
    blocks: float


class Tally(trio.abc.Instrument):
    """Counts what happens in the thread that makes it."""

    def __init__(self, monkeypatch):
        self.sends = self.receives = self.tasks = self.calls = 0
        #: ``calls`` at each send; a list would add to the counted blocks of memory.
        self.marks = array("q")
        self._thread = threading.get_ident()
        shim = SimpleNamespace(
            read=self._read, readv=self._readv, write=self._write, writev=self._writev
        )
        monkeypatch.setattr(plain_sockets, "os", shim)

    def _is_ours(self):
        return threading.get_ident() == self._thread

    def _read(self, *arguments):
        data = os.read(*arguments)
        self.receives += self._is_ours()
        return data

    def _readv(self, *arguments):
        count = os.readv(*arguments)
        self.receives += self._is_ours()
        return count

    def _write(self, *arguments):
        count = os.write(*arguments)
        self._note_send()
        return count

    def _writev(self, *arguments):
        count = os.writev(*arguments)
        self._note_send()
        return count

    def _note_send(self):
        if self._is_ours():
            self.sends += 1
            self.marks.append(self.calls)

    def calls_of_requests(self, sends):
        """Return the number of calls from answer to answer, in ascending order.

        Args:
            sends: how often each request sends.
        """
        later = self.marks[sends:]
        return sorted(mark - before for before, mark in zip(self.marks, later, strict=False))

    def task_spawned(self, task):
        self.tasks += 1

    def profile(self, frame, event, argument):
        self.calls += event == "call"


def ask(port, target, times):
    """Send requests on one connection, each after the answer to the one before."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(times):
            # The engine, in this process, keeps each head that it sees: so all have one id.
            head = f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Request-Id: same\r\n\r\n"
            connection.sendall(head.encode())
            head, _, body = connection.recv(1 << 16).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= len(connection.recv(1 << 16))


@pytest.fixture
def distant_engine():
    """An embedded engine in another thread."""
    started, ended = threading.Event(), trio.Event()
    engine, tokens = EmbeddedEngine("n1"), []

    async def serve():
        async with engine.serving():
            tokens.append(trio.lowlevel.current_trio_token())
            started.set()
            await ended.wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert started.wait(10)
    yield engine
    tokens[0].run_sync_soon(ended.set)
    thread.join()


@pytest.fixture
def measure(monkeypatch):
    """Yield a function that counts what requests cost the manager in this thread."""

    async def measure(port, target):
        """Return the costs of one ``GET`` of *target*, the mean of many."""
        await trio.to_thread.run_sync(ask, port, target, 50)  # fills what is remembered
        tally = Tally(monkeypatch)
        gc.collect()
        blocks = sys.getallocatedblocks()
        trio.lowlevel.add_instrument(tally)
        sys.setprofile(tally.profile)
        try:
            await trio.to_thread.run_sync(ask, port, target, TIMES)
        finally:
            sys.setprofile(None)
            trio.lowlevel.remove_instrument(tally)
        gc.collect()
        blocks = sys.getallocatedblocks() - blocks
        steps = tally.calls_of_requests(sends=round(tally.sends / TIMES))
        return Costs(
            sends=tally.sends / TIMES,
            receives=tally.receives / TIMES,
            tasks=tally.tasks / TIMES,
            calls=steps[0],
            usual_calls=steps[len(steps) // 2],
            blocks=blocks / TIMES,
        )

    return measure


async def test_a_ping_is_one_receive_one_send_and_few_steps(distant_engine, manage, measure):
    async with manage(distant_engine) as manager:
        costs = await measure(manager.port, "/_ping")
    assert (round(costs.sends, 1), round(costs.receives, 1), round(costs.tasks, 1)) == (1, 1, 0)
    assert costs.calls < 100  # another cancel scope needs 33
    assert costs.usual_calls < 150
    assert costs.blocks < 3


async def test_an_inspect_is_one_request_to_the_engine_and_no_task(distant_engine, manage, measure):
    async with manage(distant_engine) as manager:
        box = await manager.run("box", "n1")
        costs = await measure(manager.port, f"/containers/{box}/json")
    assert (round(costs.sends, 1), round(costs.receives, 1), round(costs.tasks, 1)) == (2, 2, 0)
    assert costs.calls < 350
    assert costs.usual_calls < 450
    assert costs.blocks < 3
