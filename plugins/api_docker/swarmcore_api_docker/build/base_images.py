"""Copy the base images of a build to its engine while the build context is being relayed.

An engine pulls a base image that it lacks from a registry, even when another engine of the cluster
has it.  So the manager looks for the Dockerfile in the context, and holds back the piece that
completes the Dockerfile until the base images are on the engine; nothing else is held back.  The
manager does not see the context of a BuildKit session: the builder reads it through a tunnel.
"""

import logging
from collections import deque
from typing import Final

import trio

from swarmcore.errors import EngineError
from swarmcore.image_supply.transfer import ImageTransfer
from swarmcore.node import Node, find_image_source, image_test
from swarmcore.protocols import ClusterView, Engine, Exchange
from swarmcore_api_docker.build.context_tar import DockerfileFinder
from swarmcore_api_docker.build.dockerfile import base_images
from swarmcore_api_docker.build.query import read_parameter

log = logging.getLogger(__name__)
#: Bytes of a context that are read, and held in memory, before the engine is chosen.
_LOOK_AHEAD: Final = 256 << 10
#: Bytes that are examined at a time; 4 KiB of compressed data can expand a thousandfold.
_SLICE: Final = 4 << 10


class BaseImages:
    """The build context of one build, and the base images that its Dockerfile names.

    Args:
        exchange: the client's request; its body is the context, or is empty.
        transfer: copies images between engines.
    """

    def __init__(self, exchange: Exchange, transfer: ImageTransfer) -> None:
        query = exchange.request.query
        self._exchange = exchange
        self._transfer = transfer
        self._arguments = {
            name: str(value) for name, value in read_parameter(query.get("buildargs"), dict).items()
            if value is not None
        }  # fmt: skip
        self._target = query.get("target")
        # With ``pull`` the builder asks the registry for each base image in any case.
        self._wants_bases = not query.flag("pull")
        named = query.get("dockerfile")
        self._finder = DockerfileFinder([named] if named else ["Dockerfile", "dockerfile"])
        self._pieces: deque[bytes] = deque()
        self._engine: Engine | None = None
        #: Names of base images that were found and are not copied yet.
        self.names = [str(name) for name in read_parameter(query.get("cachefrom"), list)]

    async def read_ahead(self) -> None:
        """Read the beginning of the context, where the Dockerfile usually is."""
        left = _LOOK_AHEAD
        while left > 0 and not self._finder.is_done:
            data = await self._exchange.receive_chunk()
            if not data:
                break
            left -= len(data)
            self._pieces.append(data)
            await self._look_into(data)

    def are_on(self, node: Node) -> bool:
        """Return whether *node* has every base image that was found so far."""
        return all(image_test(name)(node) for name in self.names)

    def bind(self, engine: Engine) -> None:
        """Copy base images to *engine* from now on; it was chosen for the build."""
        self._engine = engine

    async def next_piece(self) -> bytes:
        """Return the next piece of the context for the engine.

        If the piece completes the Dockerfile, the base images are copied before it is returned.

        Returns:
            ``b""`` at the end of the context, or when nothing more has to be looked for in it.
        """
        if self._pieces:
            await self._copy_known()
            return self._pieces.popleft()
        if self._finder.is_done:
            await self._copy_known()
            return b""
        data = await self._exchange.receive_chunk()
        await self._look_into(data)
        await self._copy_known()
        return data

    async def _look_into(self, data: bytes) -> None:
        at = 0
        while at < len(data) and not self._finder.is_done:
            size = _SLICE if self._finder.may_expand else len(data)
            piece = data[at : at + size]
            at += size
            for dockerfile in self._finder.feed(piece):
                text = dockerfile.decode("utf-8", "replace")
                self.names += base_images(text, self._arguments, self._target)
            await trio.lowlevel.checkpoint()

    async def _copy_known(self) -> None:
        """Copy the base images that were found to the engine, if it is chosen already."""
        engine, names = self._engine, self.names
        if engine is None or not names:
            return
        self.names = []
        for name in names if self._wants_bases else ():
            await copy_base_image(self._exchange.cluster, self._transfer, name, engine)


async def copy_base_image(
    cluster: ClusterView, transfer: ImageTransfer, name: str, engine: Engine
) -> None:
    """Copy an image to *engine* if another engine has it; log a failure and go on.

    Args:
        cluster: the cluster of *engine*.
        transfer: copies images between engines.
        name: the image name as the client wrote it.  A name with a digest is ignored: the engine
            pulls such an image itself.
        engine: the engine that needs the image.
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
