"""The parts: three real engines, two managers and one etcd, each on a machine of its own."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swarmcore_lab import EngineSpec, Lab, LabEngine, LabHost
from swarmcore_lab.machine import wait_until
from swarmcore_lab.stores.asking import ask as ask_store
from swarmcore_lab.stores.server import program

from tests.chaos.plan import ENGINES, MANAGERS, SMALL, STORE
from tests.system.manager import SWARMCORE
from tests.system.raw_requests import ask

TTL_SECONDS = 5
_RELEASES = dict(zip(ENGINES, ("20.10", "26.1", "28.5"), strict=True))
_PORT = 3375
_DISK_BYTES = 64 << 20
_READY_SECONDS = 60.0


class World:
    """All parts of a run, in a lab that removes them.

    Args:
        lab: an open lab.
        logs: the folder for logs, which outlives the lab.
    """

    def __init__(self, lab: Lab, logs: Path) -> None:
        self.lab = lab
        self.logs = logs
        self.hosts: dict[str, LabHost] = {name: lab.host(name) for name in (STORE, *MANAGERS)}
        self.engines: dict[str, LabEngine] = {}
        #: Names of managers -> the log of each of their runs, and when a kill ended that run.
        self.runs: dict[str, list[Path]] = {name: [] for name in MANAGERS}
        self.killed: dict[Path, float] = {}

    def start(self) -> None:
        """Start all parts, and wait until both managers see all engines and one of them leads."""
        started = self.lab.start_engines(
            EngineSpec(name, release, disk_bytes=_DISK_BYTES if name == SMALL else 0)
            for name, release in _RELEASES.items()
        )
        self.lab.image(started)
        self.engines = {engine.name: engine for engine in started}
        self.start_store()
        for engine in started:
            self._put(f"chaos/docker/swarm/nodes/{engine.address}", engine.address)
        for name in MANAGERS:
            self.start_manager(name)
        wait_until(self.is_well, "all parts to be well", seconds=_READY_SECONDS)

    def address(self, manager: str) -> str:
        """Return ``HOST:PORT`` of a manager."""
        return f"{self.hosts[manager].ip}:{_PORT}"

    def start_manager(self, name: str) -> None:
        """Start a manager; it has a log of its own for each run."""
        log = self.logs / f"{name}-{len(self.runs[name]) + 1}.log"
        self.runs[name].append(log)
        address = self.address(name)
        command = [
            *(SWARMCORE, "manage", "-H", f"tcp://{address}", "--advertise", address),
            *("--replication", f"--replication-ttl={TTL_SECONDS}s"),
            *("--cluster-opt", "swarm.reschedule.after=2s"),
            f"etcd://{self.hosts[STORE].ip}:2379/chaos",
        ]
        self.hosts[name].start(command, log)

    def start_store(self) -> None:
        """Start etcd with the data of its last run, and wait until it answers."""
        host = self.hosts[STORE]
        client, peer = (f"http://{host.ip}:{port}" for port in (2379, 2380))
        command = [
            *(program("etcd"), "--name", "chaos", "--data-dir", str(self.lab.folder / "etcd-data")),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"chaos={peer}", "--unsafe-no-fsync"),
            *("--heartbeat-interval=20", "--election-timeout=100"),
            *("--logger=zap", "--log-level=warn"),
        ]
        host.start(command, self.logs / "etcd.log")
        wait_until(self._store_answers, "etcd to answer", seconds=_READY_SECONDS)

    def info(self, manager: str, seconds: float = 2.0) -> "Info | None":
        """Return what ``docker info`` of a manager shows; ``None`` without an answer."""
        try:
            reply = ask(self.address(manager), "GET", "/info", seconds=seconds)
            return Info(reply.json["SystemStatus"]) if reply.status == 200 else None
        except (OSError, ValueError):
            return None

    def is_well(self) -> bool:
        """Return whether both managers see all engines, and agree on who leads."""
        infos = {name: self.info(name) for name in MANAGERS}
        return agreed_primary(infos, self.address) is not None and all(
            info is not None and set(ENGINES) <= info.healthy for info in infos.values()
        )

    def _store_answers(self) -> bool:
        try:
            return "true" in ask_store(f"{self._store_url}/health", seconds=2).decode()
        except OSError:
            return False

    def _put(self, key: str, value: str) -> None:
        pair = {"key": b64encode(key.encode()), "value": b64encode(value.encode())}
        body = json.dumps({name: text.decode() for name, text in pair.items()}).encode()
        ask_store(f"{self._store_url}/v3/kv/put", body)

    @property
    def _store_url(self) -> str:
        return f"http://{self.hosts[STORE].ip}:2379"


class Info:
    """The rows of ``docker info`` that the checks read.

    Attributes:
        role: "primary" or "replica".
        primary: the address of the primary that a replica knows.
        healthy: the names of healthy engines.
    """

    def __init__(self, rows: list[list[Any]]) -> None:
        known = {key: value for key, value in rows if not key.startswith(" ")}
        self.role: str = known.get("Role", "")
        self.primary: str = known.get("Primary", "")
        self.healthy: set[str] = set()
        node = ""
        for key, value in rows:
            if key.startswith(" ") and "└" not in key:
                node = key.strip()
            elif "Status" in key and value == "Healthy":
                self.healthy.add(node)


def agreed_primary(infos: dict[str, Info | None], address: Callable[[str], str]) -> str | None:
    """Return the manager that leads and that the other one knows as primary, or ``None``."""
    leaders = [name for name, info in infos.items() if info and info.role == "primary"]
    if len(leaders) != 1 or not all(infos.values()):
        return None
    others = [info for name, info in infos.items() if name not in leaders]
    known = all(info and info.primary == address(leaders[0]) for info in others)
    return leaders[0] if known else None
