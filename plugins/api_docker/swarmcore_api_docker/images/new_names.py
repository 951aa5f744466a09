"""Names that one request gives to images on several engines: a pull, a load, an import, a tag."""

from collections.abc import Mapping
from typing import Any

from swarmcore.protocols import Cluster, Engine

#: How a load tells of each name.
_LOADED = "Loaded image: "


class Naming:
    """One request's names.

    Args:
        cluster: is told.
        names: those that are known from the request; empty ones are none.
    """

    def __init__(self, cluster: Cluster, *names: str) -> None:
        self._act = cluster.image_names.naming()
        self._names = [name for name in names if name]
        self._told: dict[str, list[str]] = {}

    def hear(self, engine: Engine, message: Mapping[str, Any]) -> None:
        """A line of an engine's progress, which may tell of a name."""
        text = message.get("stream")
        if isinstance(text, str) and text.startswith(_LOADED):
            name = text.removeprefix(_LOADED).strip()
            self._told.setdefault(engine.node.id, []).append(name)

    async def settle(self, engine: Engine) -> None:
        """*engine* has done its part: what it gave names to is what they mean.

        Raises:
            EngineError: its images could not be read.
        """
        await engine.refresh_images()
        for name in (*self._names, *self._told.get(engine.node.id, ())):
            self._act.named(name, engine.node)


def tagged(repository: str, tag: str) -> str:
    """The name that a ``repo`` and a ``tag`` of a query make; empty without the first."""
    return f"{repository}:{tag}" if repository and tag else repository
