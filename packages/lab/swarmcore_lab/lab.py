"""The lab: several engines of several releases on one machine, and their removal afterwards."""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from swarmcore_lab import cgroups, network
from swarmcore_lab.cli import Cli, make_cli
from swarmcore_lab.cluster_store import LabClusterStore
from swarmcore_lab.engine import EngineSpec, EngineTls, LabEngine
from swarmcore_lab.errors import LabError
from swarmcore_lab.host import LabHost
from swarmcore_lab.machine import exclusive, missing_ability
from swarmcore_lab.registry import LabRegistry
from swarmcore_lab.releases import releases


def available() -> str | None:
    """Return why real engines cannot run on this machine, in one line, or ``None`` if they can."""
    reason = missing_ability()
    if reason is None and not releases():
        reason = "no dockerd here: run scripts/lab-install as root"
    return reason


class Lab:
    """A network bridge, the engines on it, and a folder for all their data.

    This is a context manager.  Its exit ends every process, and removes every mount, link and file
    that the lab made, also if an engine failed to start and after Ctrl-C.  If the program is
    killed, the kernel ends the processes, and the next lab on the machine removes the rest.

    Attributes:
        engines: the engines by name, in the order of their start.
        folder: the folder with all data of the lab.
    """

    def __init__(self) -> None:
        """Make an empty lab; the network is made when the block is entered."""
        self.engines: dict[str, LabEngine] = {}
        self._registries: list[LabRegistry] = []
        self._stores: list[LabClusterStore] = []
        self._hosts: list[LabHost] = []
        self._network: network.Network | None = None
        self._folder: Path | None = None
        self._stop = threading.Event()
        self._closed = False

    def __enter__(self) -> "Lab":
        """Make the bridge and the folder.

        Raises:
            LabError: real engines cannot run here, or there is no free subnet.
        """
        reason = available()
        if reason is not None:
            raise LabError(f"lab: {reason}")
        try:
            with exclusive():
                _sweep()
                self._network = network.claim_network()
                self._folder = Path(tempfile.mkdtemp(prefix=f"{self._network.id}-"))
                self._network.set_owner(self._folder)
            self._network.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove everything."""
        self.close()

    @property
    def id(self) -> str:
        """The short id that all names on the machine contain: "swl17"."""
        return self._net.id

    @property
    def folder(self) -> Path:
        """The folder with all data of the lab; it is removed with the lab."""
        if self._folder is None:
            raise LabError("lab: used outside its block")
        return self._folder

    @property
    def gateway(self) -> str:
        """This machine's address in the lab's subnet, which engines can reach."""
        return self._net.gateway

    def start_engine(
        self,
        name: str,
        release: str = "20.10",
        *,
        labels: Mapping[str, str] | None = None,
        args: Iterable[str] = (),
        tls: Callable[[str], EngineTls] | None = None,
    ) -> LabEngine:
        """Start one engine and wait until it answers.

        The arguments are those of :class:`EngineSpec`.

        Raises:
            LabError: the release is not on this machine, the name is taken, or the engine failed.
        """
        return self.start_engines([EngineSpec(name, release, labels or {}, tuple(args), tls)])[0]

    def start_engines(self, specs: Iterable[EngineSpec | Mapping[str, Any]]) -> list[LabEngine]:
        """Start several engines at the same time and wait until all answer.

        Args:
            specs: the settings of each engine; a mapping has the arguments of an EngineSpec.

        Raises:
            LabError: as for :meth:`start_engine`.  Engines that have started keep running until the
                lab ends.
        """
        wanted = [spec if isinstance(spec, EngineSpec) else EngineSpec(**spec) for spec in specs]
        engines = [self._new_engine(spec) for spec in wanted]
        _at_once(LabEngine.start, engines, self._stop)
        return engines

    def image(
        self,
        engines: LabEngine | Iterable[LabEngine] | None = None,
        tag: str = "busybox:latest",
    ) -> str:
        """Load an image made of this machine's busybox; its command is ``sh``.

        It has the same id on every engine, as a pulled image has.

        Args:
            engines: the engines that get it; all engines if not given.
            tag: the image's name and tag.

        Returns:
            The image's name with its tag.

        Raises:
            LabError: an engine refused the image, or busybox is missing.
        """
        chosen = self.engines.values() if engines is None else engines
        chosen = [chosen] if isinstance(chosen, LabEngine) else list(chosen)
        tag = tag if ":" in tag else f"{tag}:latest"
        _at_once(lambda engine: engine.load(tag), chosen, self._stop)
        return tag

    def registry(self, auth: tuple[str, str] | None = None) -> LabRegistry:
        """Start an image registry; engines of the lab may use it without TLS.

        Args:
            auth: name and password that the registry requires; ``None`` for no login.

        Raises:
            LabError: it did not start.
        """
        number = len(self._registries)
        folder = self.folder / f"registry-{number}"
        folder.mkdir()
        address = f"{self.gateway}:{5000 + number}"
        registry = LabRegistry(
            folder.name, address, folder, auth=auth, nameserver=self.gateway, stop=self._stop
        )
        self._registries.append(registry)
        registry.start()
        return registry

    def cluster_store(self) -> LabClusterStore:
        """Start an etcd that engines of release 20.10 can share; see its ``engine_arguments``.

        Raises:
            LabError: it did not start.
        """
        number = len(self._stores)
        folder = self.folder / f"store-{number}"
        folder.mkdir()
        store = LabClusterStore(
            self.gateway, 2379 + 2 * number, folder, nameserver=self.gateway, stop=self._stop
        )
        self._stores.append(store)
        store.start()
        return store

    def host(self, name: str) -> LabHost:
        """Make a machine with an address of its own, for a program that is not an engine.

        Args:
            name: its host name, unique in the lab.
        """
        folder = self.folder / f"host-{name}"
        folder.mkdir()
        cable = self._net.allocate()
        host = LabHost(name, cable, folder, nameserver=self.gateway, stop=self._stop)
        self._hosts.append(host)
        return host

    def cli(self, release: str = "20.10") -> Cli:
        """Return the Docker CLI of a release.

        Args:
            release: a name for :func:`find_release` ("28").

        Raises:
            LabError: this machine has no CLI of that release.
        """
        return make_cli(release, self.folder)

    def close(self) -> None:
        """Remove everything; a second call does nothing.

        Raises:
            LabError: something could not be removed; everything else was removed.
        """
        if self._closed:
            return
        self._stop.set()
        net, folder = self._network, self._folder
        steps: list[Callable[[], None]] = [engine.power_off for engine in self.engines.values()]
        steps += [registry.close for registry in self._registries]
        steps += [store.close for store in self._stores]
        steps += [host.power_off for host in self._hosts]
        if net is not None:
            steps += [lambda: cgroups.remove(net.id), net.close]
        if folder is not None:
            steps.append(lambda: shutil.rmtree(folder))
        self._closed = True  # another lab may use the id from here on
        _each(steps)

    @property
    def _net(self) -> network.Network:
        if self._network is None:
            raise LabError("lab: used outside its block")
        return self._network

    def _new_engine(self, spec: EngineSpec) -> LabEngine:
        if spec.name in self.engines:
            raise LabError(f"lab: there is an engine {spec.name} already")
        folder = self.folder / spec.name
        engine = LabEngine(
            spec,
            self._net.allocate(),
            folder,
            nameserver=self.gateway,
            insecure_registry=str(self._net.subnet),
            stop=self._stop,
        )
        self.engines[spec.name] = engine
        return engine


def sweep() -> None:
    """Remove bridges, control groups and folders of labs whose program has died."""
    with exclusive():
        _sweep()


def _sweep() -> None:
    # Under the lock, because a new lab may take the name of a bridge as soon as it is removed.
    for bridge, owner in network.owners().items():
        if owner.is_alive():
            continue
        with contextlib.suppress(LabError, OSError):
            cgroups.thaw(bridge)
            cgroups.remove(bridge)
            if Path(owner.folder).name.startswith(f"{bridge}-"):
                shutil.rmtree(owner.folder, ignore_errors=True)
            network.Network(int(bridge.removeprefix(network.PREFIX))).close()


def _at_once(
    work: Callable[[LabEngine], object], engines: list[LabEngine], stop: threading.Event
) -> None:
    with ThreadPoolExecutor(max(len(engines), 1)) as pool:
        try:
            for future in [pool.submit(work, engine) for engine in engines]:
                future.result()
        except BaseException as error:
            # The pool waits for its threads, so after Ctrl-C they are told to end early.
            if not isinstance(error, Exception):
                stop.set()
            raise


def _each(steps: list[Callable[[], None]]) -> None:
    """Do every step, even if some fail; then report the first failure."""
    failures: list[Exception] = []
    for step in steps:
        try:
            step()
        except (OSError, LabError) as error:
            failures.append(error)
    if failures:
        others = f" (and {len(failures) - 1} more)" if failures[1:] else ""
        raise LabError(f"lab: not all was taken away: {failures[0]}{others}") from failures[0]
