"""One store's process: started, stopped, killed, wiped; its data and its port are kept."""

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
    """The store's program is not installed; the text says what installs it."""


class Store(ABC):
    """A store that is not running yet.

    Args:
        folder: for its data and its log; its own.

    Attributes:
        scheme: of the discovery that uses it.
        port: where it listens, on loopback.
        log: the file with what it wrote.
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
        """Where clients connect."""
        return self._ports[0]

    def uri(self, prefix: str = "") -> str:
        """The discovery's URI."""
        return f"{self.scheme}://127.0.0.1:{self.port}/{prefix}"

    def start(self) -> None:
        """Start it, and return when it takes writes; does nothing when it runs.

        Raises:
            StoreMissing: its program is not here.
            RuntimeError: it ended, or does not answer; with the end of its log.
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
        """End it in good order; its data stay."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does; its data stay."""
        self._end(signal.SIGKILL)

    def pause(self, paused: bool) -> None:
        """Hang it, or let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def wipe(self) -> None:
        """Take its data away; it must not be running."""
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
        """What to run, with its data in *data*.

        Raises:
            StoreMissing: it is not here.
        """

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it takes writes; may raise ``OSError`` or ``ValueError`` while it does not."""

    @abstractmethod
    def put(self, path: str, value: str) -> None:
        """Write a key, as somebody else would."""


_S = TypeVar("_S", bound=Store)


@contextmanager
def running(store: _S) -> Iterator[_S]:
    """Have *store* run while the block does.

    A test whose store is not installed is skipped, unless it is demanded.

    Raises:
        StoreMissing: it is not here, and ``SWARMCORE_REQUIRE_DOCKER`` is 1.
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
    """Where a program is.

    Raises:
        StoreMissing: it is not.
    """
    found = shutil.which(path or name)
    if found is None:
        raise StoreMissing(f"no {name} here: run scripts/lab-install as root")
    return found
