"""The etcd in which engines of release 20.10 keep networks that span several engines."""

import http.client
import json
import shutil
import threading
from pathlib import Path

from swarmcore_lab.box import Box, BoxProcess
from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import PATH, last_lines, wait_until

_READY_SECONDS = 30.0


class LabClusterStore:
    """An etcd with its version 2 API, which engines use.  Made by ``Lab.cluster_store``.

    Attributes:
        log: the file with its output.
    """

    def __init__(
        self, host: str, port: int, folder: Path, *, nameserver: str, stop: threading.Event
    ) -> None:
        """Store the settings; :meth:`start` starts etcd."""
        self.log = folder / "etcd.log"
        self._host = host
        self._port = port
        self._folder = folder
        self._stop = stop
        self._box = Box(folder.name, folder, own_network=False, nameserver=nameserver)
        self._process: BoxProcess | None = None

    @property
    def engine_arguments(self) -> tuple[str, ...]:
        """The arguments with which an engine uses this store: ``args`` of :class:`EngineSpec`."""
        return (
            f"--cluster-store=etcd://{self._host}:{self._port}",
            "--cluster-advertise=eth0:2375",
        )

    def start(self) -> None:
        """Start etcd and wait until it answers.

        Raises:
            LabError: etcd is not installed, ended, or does not answer.
        """
        program = shutil.which("etcd", path=PATH)
        if program is None:
            raise LabError("lab: no etcd here: run scripts/lab-install as root")
        client, peer = (f"http://{self._host}:{port}" for port in (self._port, self._port + 1))
        command = [
            program,
            *("--name", "lab", "--data-dir", str(self._folder / "data"), "--enable-v2"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"lab={peer}", "--unsafe-no-fsync"),
            *("--logger=zap", "--log-level=warn"),
        ]
        if not self._box.is_open:
            self._box.open()
        self._process = self._box.spawn(command, {"PATH": PATH, "HOME": "/root"}, self.log)
        wait_until(self._is_ready, "the cluster store", seconds=_READY_SECONDS, stop=self._stop)

    def close(self) -> None:
        """Stop etcd."""
        self._box.close()

    def _is_ready(self) -> bool:
        if self._process is not None and not self._process.is_running():
            raise LabError(f"lab: the cluster store ended: {last_lines(self.log)}")
        connection = http.client.HTTPConnection(self._host, self._port, timeout=2)
        try:
            connection.request("GET", "/health")
            return bool(json.load(connection.getresponse()) == {"health": "true"})
        except (OSError, ValueError, http.client.HTTPException):
            return False
        finally:
            connection.close()
