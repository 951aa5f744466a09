"""An image that was built on one engine, carried to the one on which a container must be.

A network or a constraint may bind a container to a node without the image.  One that came from a
registry is the client's to pull, with its credentials; one that was built, committed or loaded can
be had from its engine alone.  It goes from engine to engine as it comes, and nothing is kept.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from weakref import WeakValueDictionary

import trio

from swarmcore.errors import EngineError
from swarmcore.images import has_image, named_ids, shown_image, split_image
from swarmcore.messages import Headers
from swarmcore.node import Node
from swarmcore.protocols import AnswerStream, Cluster, Engine, Upload
from swarmcore_api_docker.joint_work import report_answer

log = logging.getLogger(__name__)

_TAR: Headers = ((b"Content-Type", b"application/x-tar"),)
#: An engine that gives or takes no byte for so long will not.
_STALL_SECONDS: Final = 60.0
#: How long an engine may unpack what it was given.
_UNPACK_SECONDS: Final = 600.0


class Carrier:
    """Carries images; each to one node once, however many creates wait for it."""

    def __init__(self) -> None:
        self._under_way: WeakValueDictionary[tuple[str, str], trio.Lock] = WeakValueDictionary()

    async def carry(self, cluster: Cluster, name: str, node: Node) -> bool:
        """Have the image *name* on *node*, if another engine can give it.

        Args:
            cluster: whose engines may have it.
            name: as the client named it.
            node: lacks it.

        Returns:
            Whether it is there now.
        """
        lock = self._under_way.setdefault((node.id, name), trio.Lock())
        async with lock:
            if has_image(node, name):
                return True
            source = _find_source(cluster, name)
            if source is None:
                return False
            log.info("carrying image %s from %s to %s", name, source.node.name, node.name)
            try:
                target = cluster.engine(node.id)
                with cluster.image_names.copying(name, source.node, node):
                    await _transfer(name, source, target)
                    await target.refresh_images()
            except EngineError as error:
                log.warning("carrying image %s from %s to %s failed: %s", name, source.node.name,
                            node.name, error)  # fmt: skip
                return False
            return has_image(node, name)


def _find_source(cluster: Cluster, name: str) -> Engine | None:
    """An engine that answers and has the image from no registry."""
    for engine in cluster.engines():
        images = engine.node.images
        if engine.node.health and any(
            _is_local(images[id], name) for id in named_ids(images, name)
        ):
            return engine
    return None


def _is_local(image: Mapping[str, Any], name: str) -> bool:
    """Whether *image* has no digest that a registry gave it under that name."""
    repository = split_image(shown_image(name))[0]
    digests = image.get("RepoDigests") or ()
    return not any(split_image(digest)[0] == repository for digest in digests)


async def _transfer(name: str, source: Engine, target: Engine) -> None:
    """Save on one engine into the other.

    Raises:
        EngineError: one of them refused, failed or stalled.
    """
    path = f"/images/{quote(name, safe='/:@')}/get"
    loading = target.upload("POST", "/images/load?quiet=1", headers=_TAR)
    with trio.move_on_after(_STALL_SECONDS) as patience:
        async with source.open("GET", path) as got:
            if got.status != 200:
                await report_answer(source, got, _ignore)  # raises with the engine's words
            async with loading as upload:
                await _pour(got, upload, patience)
                patience.deadline = trio.current_time() + _UNPACK_SECONDS
                await report_answer(target, await upload.answer(), _ignore)
    if patience.cancelled_caught:
        raise EngineError(target.node.name, "nothing moved any more")


async def _pour(got: AnswerStream, upload: Upload, patience: trio.CancelScope) -> None:
    async for piece in got:
        await upload.send(piece)
        patience.deadline = trio.current_time() + _STALL_SECONDS
    await upload.finish()


async def _ignore(message: dict[str, Any]) -> None:
    """Progress that nobody sees."""
