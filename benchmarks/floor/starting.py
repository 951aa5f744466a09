"""Start the minimal servers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.processes import end, start_module


@contextmanager
def start_floors(engine_port: int, count: int) -> Iterator[tuple[Mapping[str, int], int]]:
    """Run the servers of ``benchmarks.floor.servers`` during the block.

    Args:
        engine_port: the destination of the relay.
        count: the size of the large answer in bytes.

    Yields:
        The port of each kind of server, and their process id.
    """
    process = start_module("floor.servers", engine_port, count)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), process.pid
    finally:
        end(process)
