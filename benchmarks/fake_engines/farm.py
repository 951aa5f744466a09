"""Starting the processes of fake engines."""

import json
import os
from typing import Self

from benchmarks.processes import cpu_seconds, end, start_module

#: Engines in one process: one loop over so many is still quick.
_IN_ONE_PROCESS = 250


class Farm:
    """Fake engines in processes of their own, for one manager.

    Args:
        engines: how many.
        containers: on each of them.

    Attributes:
        ports: of loopback, one for each engine.
        pids: of the processes.
    """

    def __init__(self, engines: int, containers: int) -> None:
        self.engines, self.containers = engines, containers
        self.ports: list[int] = []
        most = max(1, (os.cpu_count() or 1) // 2)
        count = min(most, -(-engines // _IN_ONE_PROCESS))
        share = -(-engines // count)
        firsts = range(0, engines, share)
        self._processes = [
            start_module("fake_engines.server", first, min(share, engines - first), containers)
            for first in firsts
        ]
        self.pids = [process.pid for process in self._processes]

    def __enter__(self) -> Self:
        for process in self._processes:
            assert process.stdout is not None
            self.ports += json.loads(process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            end(process)

    @property
    def nodes(self) -> str:
        """The engines as a manager's command line names them."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def cpu(self) -> float:
        """CPU seconds of the engines so far."""
        return cpu_seconds(self.pids)
