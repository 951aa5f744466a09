"""Keeps track of which image each image name refers to.

The rules are in ``image_names``.  This module adds the clock, the log and the requests to engines:
if two images have the same name, it reads their dates.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import trio

from swarmcore import clock
from swarmcore.cluster.image_names import ImageNames, Settlement
from swarmcore.engine import Engine
from swarmcore.errors import EngineError, NotFound
from swarmcore.images import shown_image
from swarmcore.json_values import as_object, reading_answer
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: Time limit in seconds for image requests while a node joins.
_SETTLE_SECONDS = 10.0
#: Maximum number of images that are inspected at the same time.
_PARALLEL = 8


class ImageNaming:
    """Implements ``protocols.ImageNaming``: one operation that names images.

    Args:
        held_id: (name, node id) -> id of the image that the node has under the name, or empty.
        given: called with the name, the images by node id, and the node that was named last.
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
        """Record that *name* was given on *node*; see ``protocols.ImageNaming``."""
        if id := self._held_id(name, node.id):
            images = self._images.setdefault(shown_image(name), {})
            images[node.id] = id
            self._given(name, images, node)


class ImageLedger:
    """Which image every name refers to, and on which nodes the name has an older image.

    Args:
        by_node: returns the engine of a node id; raises ``NotFound``.
    """

    def __init__(self, by_node: Callable[[str], Engine]) -> None:
        self._by_node = by_node
        self._names = ImageNames(self._tell)
        #: Name -> names of the nodes whose image it has just ceased to mean; to be logged.
        self._news: dict[str, list[str]] = {}

    def _tell(self, node_id: str, moved: Mapping[str, str]) -> None:
        try:
            node = self._by_node(node_id).node
        except NotFound:
            return
        for name in moved.keys() - node.moved_names.keys():
            self._news.setdefault(name, []).append(node.name)
        node.moved_names = moved

    # ---- called with the engines' lists and events

    def read(self, node: Node, images: Mapping[str, Mapping[str, Any]], *, live: bool) -> None:
        """Record a node's image list; see ``ImageNames.read``."""
        self._names.read(node.id, images, live=live, now=clock.unix_seconds())
        if live:
            self._log_moves(node)
        self._news.clear()

    def heard(self, name: str, image_id: str, node: Node) -> None:
        """Record an engine's event that an image was given a name.

        Args:
            name: as the engine writes it.
            image_id: the image that got the name; empty if the event does not say.
            node: the node of the engine.
        """
        held = self._names.held_id(name, node.id)
        is_meant = held and image_id in ("", held)
        if is_meant and not self._names.is_set_aside(name, node.id):
            self._given(name, {node.id: held}, node)

    def left(self, node: Node) -> None:
        """Forget a node that has left the cluster."""
        self._names.leave(node.id)
        self._news.clear()

    # ---- protocols.ImageNames

    def ids(self, name: str) -> frozenset[str]:
        """The ids of the image that *name* refers to; see ``protocols.ImageNames``."""
        return self._names.ids(name)

    def naming(self) -> "ImageNaming":
        """Begin an operation that names images; see ``protocols.ImageNames``."""
        return ImageNaming(self._names.held_id, self._given)

    @contextmanager
    def copying(self, name: str, source: Node, target: Node) -> Iterator[None]:
        """Copy an image within the block; see ``protocols.ImageNames``."""
        image_id = self._names.held_id(name, source.id)
        with self._names.setting_aside(target.id, [name]):
            yield
            self._names.copied(name, image_id, target.id)

    def setting_aside(self, node: Node, names: Iterable[str]) -> AbstractContextManager[None]:
        """Ignore names while the block runs; see ``protocols.ImageNames``."""
        return self._names.setting_aside(node.id, names)

    def _given(self, name: str, images: Mapping[str, str], node: Node) -> None:
        self._names.given(name, images, clock.unix_seconds())
        self._log_moves(node)

    def _log_moves(self, node: Node) -> None:
        for name, others in self._news.items():
            log.info("image name %s now means the new image on %s: the older images on %s are no"
                     " longer used for it", name, node.name, ", ".join(sorted(others)))  # fmt: skip
        self._news.clear()

    # ---- disputes

    async def settle(self, node: Node) -> None:
        """Decide by the images' dates where *node*'s list disagrees with those of other nodes."""
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
                    with reading_answer(node_id, f"GET /images/{image_id}/json"):
                        document = answer.json() if answer.ok else {}
                        date, content = date_of(document), content_of(document)
                except (EngineError, NotFound) as error:
                    log.info("cannot read the date of image %s on node %s: %s", image_id, node_id,
                             error)  # fmt: skip
                    return
            if document:
                self._names.dated(node_id, image_id, date, content)

        async with trio.open_nursery() as nursery:
            for node_id, image_id in wanted:
                nursery.start_soon(ask, node_id, image_id)

    def _log(self, settlement: Settlement) -> None:
        older = "; ".join(
            f"{self._call(node_id)} has {image_id} of {write_date(date)}"
            for node_id, (image_id, date) in settlement.older.items()
        )
        log.warning(
            "nodes have different images called %s: the newest is used, %s of %s (%s);"
            " older: %s",
            settlement.name, settlement.image_id, write_date(settlement.date),
            ", ".join(map(self._call, settlement.node_ids)) or "on no node", older,
        )  # fmt: skip

    def _call(self, node_id: str) -> str:
        try:
            return self._by_node(node_id).label
        except NotFound:
            return node_id


# ---- an image's date and content, from its inspection


#: Image config fields that affect containers.  Other fields differ between Docker releases.
_CONTENT = (
    "ArgsEscaped", "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild",
    "Shell", "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip


def date_of(inspection: Mapping[str, Any]) -> float:
    """When an image was last tagged on its engine or created, whichever is later; Unix seconds.

    Engines do not report when an image was pulled or loaded.
    """
    tagged = _part(inspection, "Metadata").get("LastTagTime")
    return max(
        _seconds(tagged),
        _seconds(as_object(inspection).get("Created")),
    )


def content_of(inspection: Mapping[str, Any]) -> str:
    """A digest of an image's layers, platform and config without dates; empty without layers.

    ``docker import`` creates an image with a different id on every engine; those images differ only
    in their dates.
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
    """Format Unix seconds for the log."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return "no date"


def _part(inspection: Any, key: str) -> Mapping[str, Any]:
    """An object in an inspection; empty if it is missing or not an object."""
    return as_object(as_object(inspection).get(key))


def _seconds(text: Any) -> float:
    try:
        moment = datetime.fromisoformat(text or "")
        return max(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
