"""Which image each name means, kept up to date with the engines' lists and events.

``image_names`` decides.  Here are the clock, the log, and the requests to engines: where two images
have one name, their dates are asked for.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import trio

from swarmcore.cluster.image_names import ImageNames, Settlement
from swarmcore.engine import Engine
from swarmcore.errors import EngineError, NotFound
from swarmcore.images import shown_image
from swarmcore.json_values import as_object
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: How long the requests about images may delay a node that joins, in seconds.
_SETTLE_SECONDS = 10.0
#: How many images are inspected at once.
_PARALLEL = 8


class ImageNaming:
    """One operation that gives names, on one engine or on several.

    Args:
        held_id: the image that a node, by its id, has under a name.
        given: called with the name, node ids with their images, and the node that was the last.
    """

    def __init__(
        self,
        held_id: Callable[[str, str], str],
        given: Callable[[str, Mapping[str, str], Node], None],
    ) -> None:
        self._held_id = held_id
        self._given = given
        self._images: dict[str, dict[str, str]] = {}

    def named(self, name: str, node: Node) -> None:
        """Note that *name* was given on a node; see ``protocols.ImageNaming``."""
        if id := self._held_id(name, node.id):
            images = self._images.setdefault(shown_image(name), {})
            images[node.id] = id
            self._given(name, images, node)


class ImageLedger:
    """Which image every name means, and on which nodes it is another image's.

    Args:
        by_node: the engine of a node id; raises ``NotFound``.
    """

    def __init__(self, by_node: Callable[[str], Engine]) -> None:
        self._by_node = by_node
        self._names = ImageNames(self._tell)
        #: Name -> nodes on which it has just moved away.
        self._news: dict[str, list[str]] = {}

    def _tell(self, node_id: str, moved: Mapping[str, str]) -> None:
        try:
            node = self._by_node(node_id).node
        except NotFound:
            return
        for name in moved.keys() - node.moved_names.keys():
            self._news.setdefault(name, []).append(node.name)
        node.moved_names = moved

    # ---- news of engines

    def read(self, node: Node, images: Mapping[str, Mapping[str, Any]], *, live: bool) -> None:
        """Take a node's list of images; see ``ImageNames.read``."""
        self._names.read(node.id, images, live=live, now=time.time())
        if live:
            self._log_moves(node)
        self._news.clear()

    def heard(self, name: str, image_id: str, node: Node) -> None:
        """Take an engine's event that a name was given just now.

        Args:
            name: as the engine writes it.
            image_id: the image that got the name; empty where the event does not say.
            node: the engine's.
        """
        held = self._names.held_id(name, node.id)
        is_meant = held and image_id in ("", held)
        if is_meant and not self._names.is_set_aside(name, node.id):
            self._given(name, {node.id: held}, node)

    def left(self, node: Node) -> None:
        """Forget a node that has left the cluster."""
        self._names.leave(node.id)
        self._news.clear()

    # ---- for plugins: ``protocols.ImageNames``

    def ids(self, name: str) -> frozenset[str]:
        """The ids of the image that *name* means; see ``protocols.ImageNames``."""
        return self._names.ids(name)

    def naming(self) -> "ImageNaming":
        """Begin an operation that gives names; see ``protocols.ImageNames``."""
        return ImageNaming(self._names.held_id, self._given)

    @contextmanager
    def copying(self, name: str, source: Node, target: Node) -> Iterator[None]:
        """Carry an image while the block lasts; see ``protocols.ImageNames``."""
        image_id = self._names.held_id(name, source.id)
        with self._names.setting_aside(target.id, [name]):
            yield
            self._names.copied(name, image_id, target.id)

    def setting_aside(self, node: Node, names: Iterable[str]) -> AbstractContextManager[None]:
        """Take names away while the block lasts; see ``protocols.ImageNames``."""
        return self._names.setting_aside(node.id, names)

    def _given(self, name: str, images: Mapping[str, str], node: Node) -> None:
        self._names.given(name, images, time.time())
        self._log_moves(node)

    def _log_moves(self, node: Node) -> None:
        for name, others in self._news.items():
            log.info("image name %s was given anew on %s: older images of that name, on %s, are not"
                     " meant any more", name, node.name, ", ".join(sorted(others)))  # fmt: skip
        self._news.clear()

    # ---- disputes

    async def settle(self, node: Node) -> None:
        """Let the images' dates decide where a node's list and other nodes' lists disagree."""
        names = self._names.disputed(node.id)
        if not names:
            return
        wanted = {pair for name in names for pair in self._names.undated(name, node.id)}
        with trio.move_on_after(_SETTLE_SECONDS):
            await self._ask_dates(wanted)
        for name in names:
            if settlement := self._names.settle(name, node.id):
                self._log(settlement)
        self._news.clear()

    async def _ask_dates(self, wanted: Iterable[tuple[str, str]]) -> None:
        slots = trio.CapacityLimiter(_PARALLEL)

        async def ask(node_id: str, image_id: str) -> None:
            async with slots:
                try:
                    engine = self._by_node(node_id)
                    answer = await engine.call("GET", f"/images/{quote(image_id, safe=':')}/json")
                    document = answer.json() if answer.ok else {}
                except (EngineError, NotFound, ValueError) as error:
                    log.info("image %s of node %s stays without a date: %s", image_id, node_id,
                             error)  # fmt: skip
                    return
            if document:
                self._names.dated(node_id, image_id, date_of(document), content_of(document))

        async with trio.open_nursery() as nursery:
            for node_id, image_id in wanted:
                nursery.start_soon(ask, node_id, image_id)

    def _log(self, settlement: Settlement) -> None:
        older = "; ".join(
            f"{self._call(node_id)} has {image_id} of {write_date(date)}"
            for node_id, (image_id, date) in settlement.older.items()
        )
        log.warning(
            "image name %s has several images, and their dates decide: it means %s of %s (%s);"
            " older: %s",
            settlement.name, settlement.image_id, write_date(settlement.date),
            ", ".join(map(self._call, settlement.node_ids)) or "on no node", older,
        )  # fmt: skip

    def _call(self, node_id: str) -> str:
        try:
            return self._by_node(node_id).label
        except NotFound:
            return node_id


# ---- an image's age and content, from its inspection


#: Fields of an image's config that shape a container; releases differ in the other fields.
_CONTENT = (
    "ArgsEscaped", "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild",
    "Shell", "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip


def date_of(inspection: Mapping[str, Any]) -> float:
    """When an image was last tagged on its engine, or made, whichever is later; Unix seconds.

    Engines report no time of tagging for an image that was pulled or loaded.
    """
    tagged = _part(inspection, "Metadata").get("LastTagTime")
    return max(
        _seconds(tagged),
        _seconds(as_object(inspection).get("Created")),
    )


def content_of(inspection: Mapping[str, Any]) -> str:
    """A digest of an image's layers and config without its times; empty where they are missing.

    An import makes another image on every engine; those images differ in their times alone.
    """
    layers = _part(inspection, "RootFS").get("Layers")
    if layers is None:
        return ""
    config = _part(inspection, "Config")
    told = {key: config[key] for key in _CONTENT if config.get(key)}
    platform = [inspection.get(key) or "" for key in ("Os", "Architecture", "Variant")]
    text = json.dumps([layers, told, platform], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_date(seconds: float) -> str:
    """A date for the log."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return "no date"


def _part(inspection: Any, key: str) -> Mapping[str, Any]:
    """An object in an inspection; empty where the engine answers something else."""
    return as_object(as_object(inspection).get(key))


def _seconds(text: Any) -> float:
    try:
        moment = datetime.fromisoformat(text or "")
        return max(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
