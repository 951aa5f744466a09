"""Clients that ask for much and read nothing: bounded memory, and others are served."""

from functools import partial

import trio

from swarmcore.testing.embedded import EmbeddedEngine
from tests.component.faults.process import running

MiB = 1 << 20
UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
#: Requests whose answers are hundreds of MiB in total.
REQUESTS = [
    "GET /v1.41/events HTTP/1.1\r\n",
    "GET /v1.41/containers/floods/logs?follow=1&stdout=1 HTTP/1.1\r\n",
    f"POST /v1.41/containers/floods/attach?stream=1&stdout=1&logs=1 HTTP/1.1\r\n{UPGRADE}",
    *["GET /v1.41/containers/json HTTP/1.1\r\n"] * 20,
]
EVENT_BYTES, EVENTS = MiB // 4, 800
FLOOD = f"while true; do echo {'x' * 1000}; done"
#: Labels make each list 10 MiB.
LABELS = {"large": "x" * 500_000}
LIMIT_BYTES = 100 * MiB


async def test_clients_that_never_read_cost_bounded_memory_and_no_other_waits(tmp_path):
    in_thread = trio.to_thread.run_sync
    engine = EmbeddedEngine("n1")
    for number in range(20):
        engine.add_container(f"large-{number}", body={"Labels": LABELS})
    engine.add_container("floods")
    async with engine.serving():
        started = running(tmp_path, engine.address, engines=1)
        manager = await in_thread(started.__enter__)
        try:
            made = {"Image": "busybox", "Cmd": ["sh", "-c", FLOOD]}
            await in_thread(manager.ask, "DELETE", "/containers/floods?force=1")
            await in_thread(manager.ask, "POST", "/containers/create?name=floods", made)
            await in_thread(manager.ask, "POST", "/containers/floods/start")
            before = manager.memory
            clients = []
            for request in REQUESTS:
                clients.append(await in_thread(manager.connect))
                clients[-1].sendall(f"{request}Host: x\r\n\r\n".encode())
            await engine.wait_request("/containers/*/attach")
            id = engine.container("large-0").id
            for number in range(EVENTS):
                engine.emit("container", f"exec_start: {number}", id, {"x": "y" * EVENT_BYTES})
                await trio.sleep(0.002)
                if number % 200 == 0:
                    status, _ = await in_thread(
                        partial(manager.ask, "POST", "/containers/create", {"Image": "busybox"})
                    )
                    assert status == 201
            await in_thread(manager.wait, lambda: "lags by" in manager.log.read_text())

            assert manager.memory - before < LIMIT_BYTES
            for client in clients:
                client.close()
            await in_thread(manager.wait, lambda: manager.descriptors < 40)
        finally:
            await in_thread(started.__exit__, None, None, None)
