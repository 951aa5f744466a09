"""Starting a floor's server."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.processes import end, start_module


@contextmanager
def start_floor(kind: str, argument: int) -> Iterator[tuple[int, int]]:
    """Run a server of ``benchmarks.floor.servers`` during the block.

    Args:
        kind: which.
        argument: its argument.

    Yields:
        Its port and its process id.
    """
    process = start_module("floor.servers", kind, argument)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        end(process)
