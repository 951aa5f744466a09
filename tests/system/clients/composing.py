"""A compose project at a target, for tests of compose of both generations."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from swarmcore_lab.engine_api import EngineApi

from tests.system.docker import Docker

LABEL = "com.docker.compose"


def stay(first: str = ":") -> str:
    """Return a command that runs *first* and then waits until it is stopped."""
    return json.dumps(["sh", "-c", f"trap exit TERM; {first}; while :; do sleep 0.1; done"])


DOCKERFILE = f"""FROM busybox
ARG WORD
RUN echo "$WORD" >/etc/word
CMD {stay("httpd -p 80 -h /etc; echo started")}
"""


class Project:
    """One project, in a folder in which ``app`` can be built.

    Args:
        name: the project's name.
        docker: runs the program.
        words: the beginning of every command, which calls compose.
        folder: the folder of its file.
        api: the target's API.
    """

    def __init__(
        self, name: str, docker: Docker, words: tuple[str, ...], folder: Path, api: EngineApi
    ) -> None:
        self.name = name
        self._docker = docker
        self._file = folder / f"{name}.yaml"
        self._words = (*words, "-p", name, "-f", str(self._file))
        self._api = api
        (folder / "app").mkdir(exist_ok=True)
        (folder / "app" / "Dockerfile").write_text(DOCKERFILE)

    def write(self, file: str) -> None:
        """Make *file* the configuration of the project."""
        self._file.write_text(file)

    def __call__(self, *arguments: str, **options: Any) -> Any:
        """Run a command that must succeed, and return its output."""
        return self._docker(*self._words, *arguments, **options)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[Any]:
        """Run a command to its end, with any result."""
        return self._docker.run(*self._words, *arguments)

    def start(self, log: Path, *arguments: str) -> subprocess.Popen[Any]:
        """Start a command; its output goes to *log*."""
        with log.open("w") as output:
            return self._docker.start(*self._words, *arguments, stdout=output, stderr=output)

    def ids(self, service: str = "") -> list[str]:
        """Return the ids of the project's containers, or of one service's, in any state."""
        labels = [f"{LABEL}.project={self.name}"]
        labels += [f"{LABEL}.service={service}"] if service else []
        filters = quote(json.dumps({"label": labels}))
        rows = self._api.call("GET", f"/containers/json?all=1&filters={filters}")
        return sorted(row["Id"] for row in rows)

    def inspect(self, service: str) -> Any:
        """Return the document of the only container of *service*."""
        (id,) = self.ids(service)
        return self._api.call("GET", f"/containers/{id}/json")

    def inspect_all(self) -> list[Any]:
        """Return the documents of all containers, in any state."""
        return [self._api.call("GET", f"/containers/{id}/json") for id in self.ids()]

    def states(self) -> dict[str, str]:
        """Return service -> state, which must be the same for all containers of a service."""
        told = self.inspect_all()
        return {
            each["Config"]["Labels"][f"{LABEL}.service"]: each["State"]["Status"] for each in told
        }


def left_of(name: str, api: EngineApi) -> list[str]:
    """Return containers, networks and volumes of the project *name* on one engine."""
    filters = quote(json.dumps({"label": [f"{LABEL}.project={name}"]}))
    containers = api.call("GET", f"/containers/json?all=1&filters={filters}")
    networks = api.call("GET", f"/networks?filters={filters}")
    volumes = api.call("GET", f"/volumes?filters={filters}")["Volumes"] or []
    return [str(each["Id"]) for each in (*containers, *networks)] + [
        str(each["Name"]) for each in volumes
    ]
