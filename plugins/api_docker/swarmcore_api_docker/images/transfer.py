"""An image that was built on one engine, carried to another on which something needs it.

A network or a constraint may bind a container to a node without the image, or the strategy prefers
such a node: that is the scheduler's to know.  One that came from a registry is the client's to
pull, with its credentials; one that was built, committed or loaded can be had from its engine
alone.  It goes from engine to engine as it comes, and nothing is kept.
"""

import logging
from typing import Any, Final
from urllib.parse import quote
from weakref import WeakValueDictionary

import trio

from swarmcore.errors import EngineError
from swarmcore.images import has_image, shown_image
from swarmcore.messages import Headers
from swarmcore.node import Node
from swarmcore.protocols import AnswerStream, Cluster, Engine, Upload
from swarmcore_api_docker.fanout.progress import report_answer

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

    async def carry(self, cluster: Cluster, name: str, source: Node, target: Node) -> None:
        """Have the image *name* on *target*.

        Args:
            cluster: whose nodes they are.
            name: as the client named it.
            source: has it.
            target: lacks it; while somebody else's transfer to it is under way, that is awaited.

        Raises:
            EngineError: one of the two engines failed; says which.
        """
        lock = self._under_way.setdefault((target.id, shown_image(name)), trio.Lock())
        async with lock:
            if has_image(target, name):
                return
            log.info("carrying image %s from %s to %s", name, source.name, target.name)
            begun = trio.current_time()
            giver, taker = cluster.engine(source.id), cluster.engine(target.id)
            with cluster.image_names.copying(name, source, target):
                await _transfer(name, giver, taker)
                await taker.refresh_images()
            if not has_image(target, name):
                raise EngineError(target.name, f"it did not take image {name}")
            seconds = trio.current_time() - begun
            log.info("image %s is on %s after %.1f s", name, target.name, seconds)


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
