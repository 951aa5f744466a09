"""The names that a pull, load, import or tag gives to images on several engines."""

from collections.abc import Mapping
from typing import Any

from swarmcore.protocols import ClusterView, Engine

#: The beginning of a progress line in which a load reports a name.
_LOADED = "Loaded image: "


class NewNames:
    """Collects the names that one request gives to images, and records them in the cluster.

    The cluster must know which engine was given a name last: the name means that engine's image
    from then on.

    Args:
        cluster: the cluster that records the names.
        names: the names in the request itself; empty ones are ignored.
    """

    def __init__(self, cluster: ClusterView, *names: str) -> None:
        self._act = cluster.image_names.naming()
        self._names = [name for name in names if name]
        #: Node id -> names that its engine has reported.
        self._reported: dict[str, list[str]] = {}

    def note_progress(self, engine: Engine, message: Mapping[str, Any]) -> None:
        """Read a line of an engine's progress, which may report a name."""
        text = message.get("stream")
        if isinstance(text, str) and text.startswith(_LOADED):
            name = text.removeprefix(_LOADED).strip()
            self._reported.setdefault(engine.node.id, []).append(name)

    async def record(self, engine: Engine) -> None:
        """Record that the names mean the images of *engine*, on which the work succeeded.

        Raises:
            EngineError: the engine's images could not be read.
        """
        await engine.refresh_images()
        for name in (*self._names, *self._reported.get(engine.node.id, ())):
            self._act.named(name, engine.node)


def join_tag(repository: str, tag: str) -> str:
    """Return the image name from ``repo`` and ``tag`` of a query; empty without ``repo``."""
    return f"{repository}:{tag}" if repository and tag else repository
