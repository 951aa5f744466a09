"""What one manager has grown by after 50,000 requests: memory, tasks and connections."""

import gc
import os
import sys
from collections import deque

import trio

#: Requests in one round, sent without waiting for each answer, and the rounds.
ANSWERED = [b"/_ping", b"/version", b"/info", b"/containers/json?all=1"] * 12
INSPECTIONS = 2
ROUNDS = 1000
#: Rounds in which a container is created, started and removed.
LIVES = 5
WARM_UP = 150
#: Blocks of memory by which the records of the last decisions and other bounded caches may grow.
#: One block for every other request is a leak.
BLOCKS = 25_000
#: The pool of connections to the engine may grow a little, and the engine's tasks with it.
CONNECTIONS = 4


async def ask_often(stream, targets):
    """Send all requests, then read as many answers; each must be a 200."""
    head = b"GET %s HTTP/1.1\r\nHost: docker\r\n\r\n"
    await stream.send_all(b"".join(head % target for target in targets))
    answers, rest = 0, b""
    while answers < len(targets):
        data = rest + await stream.receive_some(1 << 18)
        answers += data.count(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 5" not in data
        rest = data[-12:] if not data.endswith(b"HTTP/1.1 200 ") else b""


async def work(manager, stream, rounds):
    for number in range(rounds):
        await ask_often(stream, ANSWERED)
        for _ in range(INSPECTIONS):
            await manager.json("GET", "/containers/web/json")
        if number % LIVES == 0:
            await manager.run("short")
            await manager("DELETE", "/containers/short?force=1")


def measure():
    """Return blocks of memory, living tasks and open descriptors."""
    gc.collect()
    tasks = trio.lowlevel.current_statistics().tasks_living
    return sys.getallocatedblocks(), tasks, len(os.listdir("/proc/self/fd"))


async def test_fifty_thousand_requests_leave_nothing_behind(manage, n1):
    n1.requests = deque(maxlen=1)  # the engine's record is no growth of the manager
    async with manage(n1) as manager:
        await manager.run("web")
        stream = await trio.open_tcp_stream("127.0.0.1", manager.port)
        async with stream:
            await work(manager, stream, WARM_UP)
            blocks, tasks, descriptors = measure()
            await work(manager, stream, ROUNDS)
            grown, more_tasks, more_descriptors = measure()
    assert grown - blocks < BLOCKS
    assert more_tasks <= tasks + 2 * CONNECTIONS
    assert more_descriptors <= descriptors + 2 * CONNECTIONS  # both ends are in this process
