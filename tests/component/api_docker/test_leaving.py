"""When a client disconnects, every task that worked for it ends, here and on the engine."""

import pytest
import trio

LOUD = ["sh", "-c", f"while true; do echo {'x' * 1000}; done"]


def tasks():
    """Return the number of tasks in this loop: those of the manager and of the embedded engines."""
    return trio.lowlevel.current_statistics().tasks_living


@pytest.fixture
async def paths(manager):
    """Return a path of each kind of stream, by its name."""
    box = await manager.run("box", "n2")
    await manager.run("loud", "n2", Cmd=LOUD)
    return {
        "a log": f"GET /containers/{box}/logs?follow=1&stdout=1",
        "a log that is not read": "GET /containers/loud/logs?follow=1&stdout=1",
        "stats": f"GET /containers/{box}/stats",
        "events": "GET /events",
        "wait": f"POST /containers/{box}/wait",
        "attach": "POST /containers/loud/attach?stream=1&stdout=1",
    }


@pytest.mark.parametrize(
    "kind", ["a log", "a log that is not read", "stats", "events", "wait", "attach"]
)
async def test_no_task_outlives_its_client(manager, paths, kind):
    method, path = paths[kind].split(" ")

    async def come():
        stream = await trio.open_tcp_stream("127.0.0.1", manager.port)
        head = f"{method} /v1.41{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        await stream.send_all(head.encode())
        assert (await stream.receive_some(12)) == b"HTTP/1.1 200"
        return stream

    before = tasks()
    with trio.fail_after(60):
        present = [await come() for _ in range(50)]
        assert tasks() >= before + 50
        for stream in present:
            await stream.aclose()
        # Connections that are kept for the next request have a task each at their engine.
        await manager.wait_until(lambda: tasks() <= before + 10)
