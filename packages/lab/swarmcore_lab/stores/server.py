"""The process of one store: start, stop, kill and wipe it; it keeps its data and its port."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from swarmcore.testing.ports import free_ports

_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


class StoreMissing(Exception):
    """The store's program is not installed; the text says how to install it."""


class Store(ABC):
    """A store; :meth:`start` starts it.

    Args:
        folder: an own folder for its data and its log.

    Attributes:
        scheme: the URI scheme of the discovery that uses it.
        port: the loopback port on which it listens.
        log: the file with its output.
    """

    scheme: str
    ports_needed = 1

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = free_ports(self.ports_needed)

    @property
    def port(self) -> int:
        """The port for clients."""
        return self._ports[0]

    @property
    def pid(self) -> int:
        """The id of the process, which must be running."""
        assert self._process is not None
        return self._process.pid

    def uri(self, prefix: str = "") -> str:
        """Return the URI for the discovery."""
        return f"{self.scheme}://127.0.0.1:{self.port}/{prefix}"

    def start(self) -> None:
        """Start the store and wait until it accepts writes; do nothing if it runs already.

        Raises:
            StoreMissing: its program is not installed.
            RuntimeError: it ended, or does not answer; the text has the end of its log.
        """
        if self._process is not None:
            return
        self._data.mkdir(parents=True, exist_ok=True)
        command = self.command(self._data)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                last = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.scheme} does not start: {last}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the store with SIGTERM; its data stay."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the store with SIGKILL, like a power failure; its data stay."""
        self._end(signal.SIGKILL)

    def pause(self, paused: bool) -> None:
        """Make the store hang (true), or let it continue (false)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def wipe(self) -> None:
        """Delete the store's data; it must not be running."""
        assert self._process is None
        shutil.rmtree(self._data, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)

    def _is_ready(self) -> bool:
        try:
            return self.is_ready()
        except (OSError, ValueError):
            return False

    @abstractmethod
    def command(self, data: Path) -> Sequence[str]:
        """Return the command line of the store, with its data in *data*.

        Raises:
            StoreMissing: its program is not installed.
        """

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether it accepts writes; may raise ``OSError`` or ``ValueError`` before that."""

    @abstractmethod
    def put(self, path: str, value: str) -> None:
        """Write a key, independently of the discovery under test."""


_S = TypeVar("_S", bound=Store)


@contextmanager
def running(store: _S) -> Iterator[_S]:
    """Run *store* during the block.

    A test whose store is not installed is skipped, unless ``SWARMCORE_REQUIRE_DOCKER`` is 1.

    Raises:
        StoreMissing: its program is not installed, and ``SWARMCORE_REQUIRE_DOCKER`` is 1.
    """
    try:
        store.start()
    except StoreMissing as error:
        if os.environ.get("SWARMCORE_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(str(error))
    try:
        yield store
    finally:
        store.kill()


def program(name: str, path: str | None = None) -> str:
    """Return the path of a program.

    Raises:
        StoreMissing: the program is not installed.
    """
    found = shutil.which(path or name)
    if found is None:
        raise StoreMissing(f"no {name} here: run scripts/lab-install as root")
    return found
