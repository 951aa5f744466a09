"""Engines of several releases, and a manager of them."""

from typing import Any

from swarmcore_lab import Lab

from tests.system.docker import Docker
from tests.system.manager import Manager

RELEASES = {"old": "20.10", "middle": "26.1", "new": "28.5"}


class Fleet:
    """Three engines and one manager."""

    def __init__(self, lab: Lab, engines: dict[str, Any], manager: Manager) -> None:
        self.lab = lab
        self.engines = engines
        self.manager = manager

    def docker(self, cli: str = "28", host: str | None = None) -> Docker:
        return Docker(self.lab.cli(cli), host or self.manager.host)

    def direct(self, name: str, cli: str = "20.10") -> Docker:
        """Return the CLI with one engine as its target, without the manager."""
        return self.docker(cli, f"tcp://{self.engines[name].address}")
