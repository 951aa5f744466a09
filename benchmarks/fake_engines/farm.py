"""Start the processes of fake engines."""

import json
import os
from pathlib import Path
from typing import Self

from benchmarks.processes import cpu_seconds, end, start_module

#: The largest number of engines in one process, whose loop is still quick.
_IN_ONE_PROCESS = 250


class Farm:
    """The fake engines of one manager, in separate processes.

    Args:
        engines: the number of engines.
        containers: the number of containers on each engine.
        folder: gets a unix socket of each engine; ``None`` for no sockets.

    Attributes:
        ports: a loopback port for each engine.
        pids: the process ids.
    """

    def __init__(self, engines: int, containers: int, folder: Path | None = None) -> None:
        self.engines, self.containers = engines, containers
        self._folder = folder
        self.ports: list[int] = []
        most = max(1, (os.cpu_count() or 1) // 2)
        count = min(most, -(-engines // _IN_ONE_PROCESS))
        share = -(-engines // count)
        folders = [] if folder is None else [folder]
        self._processes = [
            start_module(
                "fake_engines.server", first, min(share, engines - first), containers, *folders
            )
            for first in range(0, engines, share)
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
        """Return the engines for a manager's command line: their unix sockets, if they have any."""
        if self._folder is not None:
            return ",".join(f"unix://{self._folder}/{each}" for each in range(self.engines))
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def cpu(self) -> float:
        """Return the CPU seconds of the engines so far."""
        return cpu_seconds(self.pids)
