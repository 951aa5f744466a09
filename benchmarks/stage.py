"""One size of cluster with all servers of a measurement: engines, managers, minimal servers."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from benchmarks.fake_engines import Farm
from benchmarks.figures import Figures, Results
from benchmarks.floor import haproxy, start_floors
from benchmarks.load import Generator
from benchmarks.load.messages import Address
from benchmarks.secured import start_secured
from benchmarks.settings import Settings, Size
from benchmarks.sides import Manager, Side, ask_bytes

_GB = 1e9
_SETTLING_SECONDS = 0.05


class Stage:
    """The servers that workloads use.

    Args:
        settings: the settings of the run.
        size: the size of the clusters; each manager has its own engines.
        generator: makes the load.
        results: gets notes.

    Attributes:
        managers: the managers that are measured.
        idle: side -> the share of a core that it uses without requests, if that was measured.
        direct: an engine without a manager, and HAProxy before it if that is installed.
    """

    def __init__(
        self, settings: Settings, size: Size, generator: Generator, results: Results
    ) -> None:
        self.settings, self.size = settings, size
        self.generator, self.results = generator, results
        self.managers: list[Manager] = []
        self.idle: dict[str, float] = {}
        self.direct: list[Side] = []
        self._floors: dict[str, Side] = {}
        self._secured: Manager | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            commands = {"manager": self.settings.manager, "against": self.settings.against}
            for name, command in commands.items():
                if command:
                    self.managers.append(self._make_manager(stack, name, command, folder))
            if self.settings.floor:
                # A separate engine, so that no manager sees the changes on it.
                alone = stack.enter_context(Farm(1, self.size.containers))
                self.direct = self._make_direct(stack, alone, folder)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _make_manager(self, stack: ExitStack, name: str, command: str, folder: Path) -> Manager:
        farm = stack.enter_context(Farm(self.size.engines, self.size.containers))
        log, socket = folder / f"{name}.log", folder / f"{name}.sock"
        manager = Manager(name, farm, command=command, log=log, socket=socket)
        stack.callback(manager.stop)
        return manager

    def _make_direct(self, stack: ExitStack, farm: Farm, folder: Path) -> list[Side]:
        sides = [Side("engine", farm, farm.ports[0], farm.pids)]
        if haproxy.is_installed():
            port, pid = stack.enter_context(haproxy.before(farm.ports[0], folder))
            sides.append(Side("haproxy", farm, port, (pid,)))
        else:
            self.results.note("HAProxy is not installed, and was not measured")
        for side in sides:
            side.find_container()
        return sides

    def make_ready(self, side: Side) -> None:
        """Make sure that *side* answers."""
        if isinstance(side, Manager) and not side.is_up:
            start = side.start(self.settings.settle_seconds)
            if not start.is_quiet:
                self.results.note(
                    f"{side.name} with {self.size}: not quiet"
                    f" {self.settings.settle_seconds:g} s after all engines were healthy"
                )

    def secured(self) -> Manager:
        """A manager that listens with TLS, started when it is first used."""
        if self._secured is None:
            starting = start_secured(self.settings, self.size)
            self._secured = self._stack.enter_context(starting)
        return self._secured

    def floor(self, kind: str) -> Side:
        """Return a server of ``benchmarks.floor``; all of them are started when one is first used.

        Args:
            kind: ``exchange``, ``relay`` or ``bytes``.
        """
        if not self._floors:
            farm = self.direct[0].farm
            starting = start_floors(farm.ports[0], self._bytes_of_list())
            ports, pid = self._stack.enter_context(starting)
            self._floors = {each: Side("floor", farm, port, (pid,)) for each, port in ports.items()}
            self._floors["relay"].find_container()
        return self._floors[kind]

    def _bytes_of_list(self) -> int:
        """Return the length of the first manager's list of all containers."""
        self.make_ready(self.managers[0])
        return len(ask_bytes(self.managers[0].port, "/containers/json?all=1"))

    def settle(self, side: Side) -> None:
        """Wait until *side* has done the work that follows the last requests."""
        side.settle(min(_SETTLING_SECONDS, self.settings.seconds))

    def converse(
        self,
        side: Side,
        kind: str,
        *,
        address: Address,
        clients: int,
        ask: str = "",
        **parameters: Any,
    ) -> Figures:
        """Make a load with clients that connect in advance; see ``measure``.

        Args:
            side: the side whose CPU is measured.
            kind: see ``benchmarks.load.process``.
            address: the address for the clients.
            clients: the number of clients.
            ask: a request of each client in advance; empty for none.
            parameters: the parameters of the load.

        Raises:
            LoadFailed: the answers were not as expected.
        """
        self.generator.run("connect", address=address, clients=clients, target=ask)
        self.settle(side)
        return self.measure(side, kind, **parameters)

    def measure(self, side: Side, kind: str, **parameters: Any) -> Figures:
        """Make a load, and measure its cost.

        Args:
            side: the side whose CPU is measured.
            kind: see ``benchmarks.load.process``.
            parameters: the parameters of the load.

        Raises:
            LoadFailed: the answers were not as expected.
        """
        side.find_processes()
        before, engines = side.cpu(), side.farm.cpu()
        told = self.generator.run(kind, **parameters)
        self.settle(side)
        side.find_processes()
        cpu, engines = side.cpu() - before, side.farm.cpu() - engines
        told |= {"cpu": cpu, "engines_cpu": engines}
        seconds = told["seconds"]
        shares = {"busy": cpu, "busy_load": told["load_cpu"], "busy_engines": engines}
        told |= {name: used / seconds * 100 for name, used in shares.items()}
        if "operations" in told:
            told["cpu_us"] = cpu / told["operations"] * 1e6
            told["load_us"] = told["load_cpu"] / told["operations"] * 1e6
            idle = self.idle.get(side.name, 0.0) * seconds / told["operations"] * 1e6
            told["net_us"] = told["cpu_us"] - idle
        else:
            told["cpu_s_per_gb"] = cpu / (told["bytes"] / _GB)
        return told
