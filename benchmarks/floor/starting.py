"""Starting the floors' servers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.processes import end, start_module


@contextmanager
def start_floors(engine_port: int, count: int) -> Iterator[tuple[Mapping[str, int], int]]:
    """Run the servers of ``benchmarks.floor.servers`` during the block.

    Args:
        engine_port: where the relay leads.
        count: how many bytes are sent where many are.

    Yields:
        Their ports by what they do, and their process id.
    """
    process = start_module("floor.servers", engine_port, count)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), process.pid
    finally:
        end(process)
