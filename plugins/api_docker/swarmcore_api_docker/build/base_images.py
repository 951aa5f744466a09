"""The images that a build begins with: read from its context as that goes by, brought in time.

An engine asks a registry for a base that it lacks, although another engine has it.  The piece of
the context that completes the Dockerfile is held until the bases are where the build is; nothing
else is held.  A context that comes by a session of BuildKit is seen by nobody but the builder.
"""

import json
import logging
from collections import deque
from typing import Any, Final
import trio
from swarmcore.errors import EngineError
from swarmcore.http.messages import Query
from swarmcore.node import Node, find_image_source, image_test
from swarmcore.protocols import ClusterView, Engine, Exchange
from swarmcore_api_docker.images.transfer import ImageTransfer
from swarmcore_api_docker.build.context_tar import DockerfileFinder
from swarmcore_api_docker.build.dockerfile import base_images


log = logging.getLogger(__name__)
#: What is read of a context before its engine is chosen: it is held in memory.
_LOOK_AHEAD: Final = 256 << 10
#: What is looked into at a time: compressed contexts grow a thousandfold.
_SLICE: Final = 4 << 10


class BaseImages:
    """The bases of one build, and the context in which they are named.

    Args:
        exchange: the client's; its body is the context, or empty.
        transfer: brings images.
    """

    def __init__(self, exchange: Exchange, transfer: ImageTransfer) -> None:
        query = exchange.request.query
        self._exchange = exchange
        self._transfer = transfer
        self._arguments = {
            name: str(value) for name, value in _read(query, "buildargs", dict).items()
            if value is not None
        }  # fmt: skip
        self._target = query.get("target")
        # A build that pulls asks the registry for each base, whatever is there.
        self._wants_bases = not query.flag("pull")
        named = query.get("dockerfile")
        self._finder = DockerfileFinder([named] if named else ["Dockerfile", "dockerfile"])
        self._pieces: deque[bytes] = deque()
        self._engine: Engine | None = None
        #: Names of images, as far as they are known.
        self.names = [str(name) for name in _read(query, "cachefrom", list)]

    async def read_ahead(self) -> None:
        """Read the beginning of the context, which most often has the Dockerfile."""
        left = _LOOK_AHEAD
        while left > 0 and not self._finder.is_done:
            data = await self._exchange.receive_chunk()
            if not data:
                break
            left -= len(data)
            self._pieces.append(data)
            await self._look_into(data)

    def are_on(self, node: Node) -> bool:
        """Whether all that is known is on *node*, or nowhere else."""
        return all(image_test(name)(node) for name in self.names)

    def bind(self, engine: Engine) -> None:
        """*engine* builds."""
        self._engine = engine

    async def next_piece(self) -> bytes:
        """The next piece of the context for the engine; ``b""`` at its end.

        Once the Dockerfile is complete, its bases are brought before its last piece goes on.
        """
        if self._pieces:
            await self._bring()
            return self._pieces.popleft()
        data = await self._exchange.receive_chunk()
        if not self._finder.is_done:
            await self._look_into(data)
        await self._bring()
        return data

    async def _look_into(self, data: bytes) -> None:
        for at in range(0, len(data), _SLICE):
            for dockerfile in self._finder.feed(data[at : at + _SLICE]):
                text = dockerfile.decode("utf-8", "replace")
                self.names += base_images(text, self._arguments, self._target)
            if self._finder.is_done:
                break
            await trio.lowlevel.checkpoint()

    async def _bring(self) -> None:
        """Have all that is known on the engine that builds, as far as another can give it."""
        engine, names = self._engine, self.names
        if engine is None or not names:
            return
        self.names = []
        for name in names if self._wants_bases else ():
            await copy_base_image(self._exchange.cluster, self._transfer, name, engine)


async def copy_base_image(cluster: ClusterView, transfer: ImageTransfer, name: str, engine: Engine) -> None:
    """Have an image on *engine* if any other has it; where that fails the log tells.

    Args:
        cluster: whose engines.
        transfer: carries it.
        name: as a client wrote it; one by its digest is the engine's to pull.
        engine: is to have it.
    """
    node = engine.node
    if "@" in name or image_test(name)(node):
        return
    nodes = [each.node for each in cluster.engines()]
    source = find_image_source(name, node, nodes, pulled=True)
    if source is None:
        return
    try:
        await transfer.copy(cluster, name, source, node)
    except EngineError as error:
        log.warning("building on %s without image %s of %s: %s", node.name, name, source.name,
                    error)  # fmt: skip


def _read(query: Query, name: str, kind: type[Any]) -> Any:
    """A parameter that is JSON of some kind; empty where it is anything else."""
    try:
        value = json.loads(query.get(name) or "null")
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, kind) else kind()
