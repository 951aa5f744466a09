"""The servers that are compared: managers, and an engine alone or behind a proxy."""

import http.client
import json
import shlex
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fake_engines import Farm
from benchmarks.load.messages import Address, connect
from benchmarks.processes import Usage, cpu_seconds, end, start, tree, usage
from swarmcore.testing.ports import free_port

_START_SECONDS = 600.0
#: A manager is quiet when it uses less than this share of a core over so many seconds.
_QUIET_SHARE = 0.05
_QUIET_SECONDS = 1.0
#: CPU seconds that count as no work; the kernel counts in hundredths.
_NEXT_TO_NONE = 0.01
_SETTLING_STEPS = 20
#: Seconds between two health checks, in all and for each engine; each costs the manager some CPU.
_LOOK_SECONDS = 0.05
_LOOK_SECONDS_EACH = 0.001


@dataclass(slots=True)
class Side:
    """A server with Docker's API.

    Attributes:
        name: ``manager``, ``against``, ``engine`` or ``haproxy``.
        farm: the engines behind it.
        port: the port on which it listens.
        pids: its process ids, the first process first.
        container: the id of one of its containers.
        engine_port: the port of that container's engine.
    """

    name: str
    farm: Farm
    port: int = 0
    pids: Sequence[int] = ()
    container: str = ""
    engine_port: int = 0

    def cpu(self) -> float:
        """Return the CPU seconds so far."""
        return cpu_seconds(self.pids)

    def find_processes(self) -> None:
        """Find processes that were started since the last call."""

    def find_container(self) -> None:
        """Choose a container of the first engine for requests about one container."""
        rows = ask(self.farm.ports[0], "/containers/json?all=1")
        self.container = rows[len(rows) // 2]["Id"] if rows else ""
        self.engine_port = self.farm.ports[0]

    def settle(self, step: float) -> None:
        """Wait until the work that follows the last requests is done, but not for long.

        Args:
            step: seconds; the work is done if almost no CPU is used during them.
        """
        for _ in range(_SETTLING_STEPS):
            before = self.cpu()
            time.sleep(step)
            if self.cpu() - before <= _NEXT_TO_NONE:
                return


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a manager: seconds until each event, and CPU seconds until then."""

    listening: float
    healthy: float
    healthy_cpu: float
    quiet: float
    quiet_cpu: float
    is_quiet: bool


@dataclass(slots=True)
class Manager(Side):
    """A manager that this run starts.

    Attributes:
        command: its command line, with ``{listen}`` and ``{nodes}``.
        log: the file for its output.
        socket: replaces ``{socket}`` in the command line; exists once the manager listens on it.
        scheme: the beginning of its address if it listens with TLS.
    """

    command: str = ""
    log: Path = field(default_factory=lambda: Path("/dev/null"))
    socket: Path = field(default_factory=lambda: Path("/nowhere"))
    scheme: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    #: Whether it has been started before, so that Python has compiled its modules.
    is_compiled: bool = False

    @property
    def address(self) -> Address:
        """The address for the load generator."""
        return f"{self.scheme}{self.port}" if self.scheme else self.port

    @property
    def is_up(self) -> bool:
        """Whether it has been started."""
        return self.process is not None

    def find_processes(self) -> None:
        """Find its descendants."""
        self.pids = tree(self.pids[0])

    def usage(self) -> Usage:
        """Return its usage so far."""
        self.find_processes()
        return usage(self.pids)

    def start(self, settle_seconds: float) -> Start:
        """Start it, and wait until all engines are healthy and it is quiet.

        Args:
            settle_seconds: the longest wait for quiet; with 0 it does not wait.

        Raises:
            RuntimeError: it ended, or its engines do not become healthy.
        """
        began = self._launch()
        listening = self._wait_listening(began)
        healthy = self._wait_healthy(began)
        healthy_cpu = self.cpu()
        quiet, quiet_cpu, is_quiet = healthy, healthy_cpu, True
        if settle_seconds:
            quiet, quiet_cpu, is_quiet = self._wait_quiet(began, settle_seconds)
        self.find_container()
        return Start(listening, healthy, healthy_cpu, quiet, quiet_cpu, is_quiet)

    def compile(self) -> None:
        """Let Python compile its modules: start it once until it listens, unless it was started."""
        if not self.is_compiled:
            self._wait_listening(self._launch())
            self.stop()

    def _launch(self) -> float:
        """Start the process; return the time at which it began."""
        self.stop()
        self.port = free_port()
        words = {
            "{listen}": f"127.0.0.1:{self.port}",
            "{socket}": str(self.socket),
            "{nodes}": self.farm.nodes,
        }
        argv = []
        for word in shlex.split(self.command):
            for key, value in words.items():
                word = word.replace(key, value)
            argv.append(word)
        began = time.monotonic()
        self.process = start(argv, log=self.log)
        self.pids = (self.process.pid,)
        self.is_compiled = True
        return began

    def _wait_listening(self, began: float) -> float:
        while True:
            with suppress(OSError, http.client.HTTPException):
                ask_bytes(self.address, "/_ping")
                return time.monotonic() - began
            self._check_alive(began)
            time.sleep(0.01)

    def _wait_healthy(self, began: float) -> float:
        while True:
            with suppress(OSError, http.client.HTTPException):
                info = ask(self.address, "/info")
                if count_healthy(info) >= self.farm.engines:
                    return time.monotonic() - began
            self._check_alive(began)
            time.sleep(max(_LOOK_SECONDS, _LOOK_SECONDS_EACH * self.farm.engines))

    def _wait_quiet(self, began: float, longest: float) -> tuple[float, float, bool]:
        ends = time.monotonic() + longest
        while True:
            since, before = time.monotonic(), self.cpu()
            time.sleep(_QUIET_SECONDS)
            used = self.cpu() - before
            if used <= _QUIET_SHARE * _QUIET_SECONDS:
                return since - began, before, True
            if time.monotonic() > ends:
                return since - began, before, False

    def _check_alive(self, began: float) -> None:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {self._tail()}")
        if time.monotonic() - began > _START_SECONDS:
            raise RuntimeError(f"{self.name}: not all engines are healthy: {self._tail()}")

    def flagged(self) -> int:
        """Return how often engines were flagged as unhealthy since the first start."""
        return self.log.read_text(errors="replace").count("flagging as unhealthy")

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-1000:]

    def stop(self) -> None:
        """End the manager."""
        if self.process is not None:
            end(self.process)
            self.process, self.pids = None, ()


def ask(address: Address, target: str) -> Any:
    """Return the JSON of GET *target*."""
    return json.loads(ask_bytes(address, target))


def ask_bytes(address: Address, target: str) -> bytes:
    """Return the body of GET *target*."""
    with closing(http.client.HTTPConnection("127.0.0.1")) as connection:
        connection.sock = connect(address)
        connection.request("GET", target)
        with connection.getresponse() as answer:
            return answer.read()


def count_healthy(info: dict[str, Any]) -> int:
    """Return the number of healthy engines in ``info``, from Swarm classic's rows."""
    rows = info.get("SystemStatus") or ()
    return sum(row[0].strip(" └") == "Status" and row[1] == "Healthy" for row in rows)
