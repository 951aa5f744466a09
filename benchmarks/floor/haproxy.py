"""Debian's HAProxy in HTTP mode before one engine: the cost of a proxy in C on this machine."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.processes import end, start
from swarmcore.testing.ports import free_port

_START_SECONDS = 10.0
#: One thread, like the manager; events are not delayed; the timeouts are long, for streams.
_CONFIG = """
global
    nbthread 1
    maxconn 4000
defaults
    mode http
    option http-no-delay
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend clients
    bind 127.0.0.1:{port}
    default_backend engines
backend engines
    server engine 127.0.0.1:{engine_port}
"""


def is_installed() -> bool:
    """Return whether HAProxy is installed."""
    return _find() is not None


def _find() -> str | None:
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def before(engine_port: int, folder: Path) -> Iterator[tuple[int, int]]:
    """Run HAProxy during the block.

    Args:
        engine_port: the port of the one engine behind it.
        folder: gets its configuration and its log.

    Yields:
        Its port and its process id.

    Raises:
        RuntimeError: it does not listen.
    """
    program, port = _find(), free_port()
    assert program is not None
    config = folder / "haproxy.cfg"
    config.write_text(_CONFIG.format(port=port, engine_port=engine_port))
    log = folder / "haproxy.log"
    process = start([program, "-db", "-f", str(config)], log=log)
    try:
        _wait_listening(port, log)
        yield port, process.pid
    finally:
        end(process)


def _wait_listening(port: int, log: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"HAProxy does not listen: {log.read_text(errors='replace')[-500:]}")
