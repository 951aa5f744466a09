"""Copy an image from an engine that has it to an engine that needs it.

The scheduler may place a container on a node without its image, because a network or a constraint
binds it there or the strategy prefers that node.  The client pulls an image from a registry, with
its credentials.  An image that was built, committed or loaded exists only on its engine, so it is
saved there and loaded into the other engine.  The archive is streamed; nothing is stored.
"""

import logging
from typing import Any, Final
from urllib.parse import quote
from weakref import WeakValueDictionary

import trio

from swarmcore.errors import EngineError
from swarmcore.http.messages import Headers
from swarmcore.image_supply.progress import report_answer
from swarmcore.images import has_image, shown_image
from swarmcore.node import Node
from swarmcore.protocols import AnswerStream, ClusterView, Engine, Upload

log = logging.getLogger(__name__)
_TAR: Headers = ((b"Content-Type", b"application/x-tar"),)
#: A transfer that moves no byte for this long has failed.
_STALL_SECONDS: Final = 60.0
#: How long an engine may take to unpack the whole archive.
_UNPACK_SECONDS: Final = 600.0


class ImageTransfer:
    """Copies images between engines; creates that need one image on one node share the copy."""

    def __init__(self) -> None:
        self._under_way: WeakValueDictionary[tuple[str, str], trio.Lock] = WeakValueDictionary()

    async def copy(self, cluster: ClusterView, name: str, source: Node, target: Node) -> None:
        """Copy an image, or wait for a copy of it that is in progress.

        Args:
            cluster: the cluster of both nodes.
            name: the image's name, as the client wrote it.
            source: a node that has the image.
            target: a node that lacks it.

        Raises:
            EngineError: one of the two engines failed; the text says which.
        """
        lock = self._under_way.setdefault((target.id, shown_image(name)), trio.Lock())
        async with lock:
            if has_image(target, name):
                return
            log.info("carrying image %s from %s to %s", name, source.name, target.name)
            begun = trio.current_time()
            sender, receiver = cluster.engine(source.id), cluster.engine(target.id)
            with cluster.image_names.copying(name, source, target):
                await _transfer(name, sender, receiver)
                await receiver.refresh_images()
            if not has_image(target, name):
                raise EngineError(target.name, f"it did not take image {name}")
            seconds = trio.current_time() - begun
            log.info("image %s is on %s after %.1f s", name, target.name, seconds)


async def _transfer(name: str, source: Engine, target: Engine) -> None:
    """Save the image on *source* and load it into *target*.

    Raises:
        EngineError: one of the engines refused, failed or stalled.
    """
    path = f"/images/{quote(name, safe='/:@')}/get"
    loading = target.upload("POST", "/images/load?quiet=1", headers=_TAR)
    with trio.move_on_after(_STALL_SECONDS) as timeout:
        async with source.open("GET", path) as got:
            if got.status != 200:
                await report_answer(source, got, _ignore)  # raises the engine's error
            async with loading as upload:
                await _pour(got, upload, timeout)
                timeout.deadline = trio.current_time() + _UNPACK_SECONDS
                await report_answer(target, await upload.answer(), _ignore)
    if timeout.cancelled_caught:
        raise EngineError(target.node.name, "nothing moved any more")


async def _pour(got: AnswerStream, upload: Upload, timeout: trio.CancelScope) -> None:
    async for piece in got:
        await upload.send(piece)
        timeout.deadline = trio.current_time() + _STALL_SECONDS
    await upload.finish()


async def _ignore(message: dict[str, Any]) -> None:
    """Drop a line of progress."""
