"""Managers, each in a process of its own."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from swarmcore.testing.ports import free_port
from tests.system.waiting import wait_until

#: The command of this environment.
SWARMCORE = str(Path(sys.executable).with_name("swarmcore"))


class Manager:
    """``swarmcore manage`` as a process on a loopback port.

    Requests to it use *tls*; *environment* is added to its environment.
    """

    def __init__(
        self,
        port: int,
        arguments: list[str],
        log: Path,
        *,
        tls: ssl.SSLContext | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.port = port
        self.host = f"tcp://127.0.0.1:{port}"
        self._url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._tls = tls
        self._environment = {**os.environ, **(environment or {})}
        self.socket = f"unix://{log.with_suffix('.sock')}"
        self.log = log
        self._command = [
            SWARMCORE,
            "manage",
            "-H",
            self.host,
            "-H",
            self.socket,
            *arguments,
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment
            )
        wait_until(self._pings, f"the manager to answer; see {self.log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(30)
        self.process = None
        return status

    def get(self, path: str) -> Any:
        with self._open(path, 30) as answer:
            return json.load(answer)

    def statuses(self) -> list[str]:
        """Return the Status row of every node in ``info``."""
        return [value for key, value in self.get("/info")["SystemStatus"] if "Status" in key]

    def errors(self) -> list[str]:
        """Return the Error row of every node that has one."""
        rows = self.get("/info")["SystemStatus"]
        return [value for key, value in rows if "Error" in key and value != "(none)"]

    def wait_healthy(self, count: int, seconds: float = 60) -> None:
        wait_until(
            lambda: self.statuses().count("Healthy") == count, f"{count} healthy nodes", seconds
        )

    def _pings(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            with self._open("/_ping", 5):
                return True
        except OSError:
            return False

    def _open(self, path: str, seconds: float) -> Any:
        return urllib.request.urlopen(f"{self._url}{path}", timeout=seconds, context=self._tls)


class Managers:
    """Starts managers, each with its own address and log.

    Args:
        folder: the folder for their logs and sockets.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._managers: list[Manager] = []

    def __call__(self, *arguments: str, **options: Any) -> Manager:
        log = self._folder / f"{len(self._managers)}.log"
        manager = Manager(free_port(), list(arguments), log, **options)
        self._managers.append(manager)
        manager.start()
        return manager

    def stop(self) -> None:
        """Stop the managers that run."""
        for manager in self._managers:
            if manager.process is not None:
                manager.stop()
