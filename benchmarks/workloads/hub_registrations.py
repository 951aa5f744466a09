"""Registrations at a hub; an answer means that the engine is stored on disk."""

import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.processes import end, start
from benchmarks.sides import Manager, Side, ask
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload
from swarmcore.testing.ports import free_port

_CLIENTS = 8
_START_SECONDS = 30.0


def _register(stage: Stage, side: Side) -> Figures:
    with _hub() as (port, pid):
        token = _create(port)
        hub = Manager("hub", side.farm, port, (pid,))
        told = stage.converse(
            hub,
            "registrations",
            address=port,
            clients=_CLIENTS,
            token=token,
            seconds=stage.settings.seconds,
        )
        began = time.monotonic()
        listed = ask(port, f"/v1/clusters/{token}")
        took = time.monotonic() - began
        return {**told, "listed_engines": len(listed), "list_ms": took * 1e3}


@contextmanager
def _hub() -> Iterator[tuple[int, int]]:
    """Run a hub during the block; yield its port and process id."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "data")
        listen = ["-H", f"127.0.0.1:{port}", "--rate", "0", "--data-dir", data]
        command = [sys.executable, "-m", "swarmcore", "hub", *listen]
        process = start(command, log=Path(folder) / "log")
        try:
            yield port, process.pid
        finally:
            end(process)


def _create(port: int) -> str:
    """Return the token of a new cluster, as soon as the hub answers."""
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with suppress(OSError), closing(connection):
            connection.request("POST", "/v1/clusters")
            with connection.getresponse() as answer:
                return answer.read().decode()
        time.sleep(0.05)
    raise subprocess.SubprocessError("the hub does not answer")


WORKLOADS = (
    Workload(
        "hub-registrations",
        f"engines registered at a hub, {_CLIENTS} clients",
        _register,
        on=On.ALONE,
        of_the_size=False,
    ),
)
