"""The addresses that clients are pointed at, and the removal of everything that tests created."""

from collections.abc import Callable
from typing import Any, NamedTuple

from swarmcore_lab import LabError
from swarmcore_lab.engine_api import EngineApi


class Target(NamedTuple):
    """A Docker API for a client: ``host`` is ``tcp://ip:port``, ``socket`` is ``unix://``."""

    name: str
    host: str
    socket: str

    @property
    def is_cluster(self) -> bool:
        """Whether the target is a manager, not an engine."""
        return self.name == "cluster"


class Tidy:
    """Removes the objects of tests: containers, networks, volumes and images on every engine.

    It sends requests directly to the engines, and waits until the manager has seen the removals.
    """

    def __init__(self, engines: list[EngineApi], manager: EngineApi, wait: Callable[..., Any]):
        self._engines = engines
        self._manager = manager
        self._wait = wait
        self._images = [self._tags(engine) for engine in engines]

    def __call__(self) -> None:
        for engine, images in zip(self._engines, self._images, strict=True):
            self._tidy(engine, images)
        kept = set().union(*self._images)
        self._wait(lambda: self._is_tidy(kept), "the manager to know that all is tidy")

    def _tidy(self, engine: EngineApi, kept: set[str]) -> None:
        for row in engine.call("GET", "/containers/json?all=1"):
            _remove(engine, f"/containers/{row['Id']}?force=1&v=1")
        for id in self._networks(engine):
            _remove(engine, f"/networks/{id}")
        for name in self._volumes(engine):
            _remove(engine, f"/volumes/{name}?force=1")
        for name in self._tags(engine) - kept:
            _remove(engine, f"/images/{name}?force=1")

    def _is_tidy(self, kept: set[str]) -> bool:
        ask = self._manager
        return not (
            ask.call("GET", "/containers/json?all=1")
            or self._networks(ask)
            or self._volumes(ask)
            or self._tags(ask) - kept
        )

    def _networks(self, api: EngineApi) -> list[str]:
        rows = api.call("GET", "/networks")
        own = ("bridge", "host", "none")
        return [row["Id"] for row in rows if row["Name"].rpartition("/")[2] not in own]

    def _volumes(self, api: EngineApi) -> list[str]:
        return [row["Name"] for row in api.call("GET", "/volumes")["Volumes"] or []]

    def _tags(self, api: EngineApi) -> set[str]:
        """Return every tag, and the ids of images without a tag."""
        names: set[str] = set()
        for row in api.call("GET", "/images/json"):
            tags = {tag for tag in row["RepoTags"] or [] if tag != "<none>:<none>"}
            names |= tags or {row["Id"]}
        return names


def _remove(engine: EngineApi, path: str) -> None:
    try:
        engine.call("DELETE", path)
    except LabError as error:
        if " 404 " not in str(error):  # it may go by itself: --rm, an untagged parent
            raise
