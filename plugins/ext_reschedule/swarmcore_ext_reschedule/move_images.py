"""Brings the image of a copy to its node: from another node, or by a pull without credentials."""

from functools import partial

from swarmcore.errors import EngineError
from swarmcore.image_supply.pull import pull_image
from swarmcore.image_supply.transfer import ImageTransfer
from swarmcore.protocols import Carry, Cluster, Container, move_client


class MoveImages:
    """Copies and pulls images for moves.

    Args:
        cluster: the cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._transfer = ImageTransfer()

    @property
    def carry(self) -> Carry:
        """Copies an image between nodes."""
        return partial(self._transfer.copy, self._cluster)

    async def pull(self, container: Container) -> None:
        """Pull the image of *container* where its move missed it.

        Raises:
            EngineError: the pull failed; the text is the engine's.
        """
        image, client = container.image, move_client(container)
        for engine in self._cluster.pull_targets(image, client):
            try:
                await pull_image(engine, image)
            except EngineError as error:
                self._cluster.note_pull(image, client, engine, error)
                self._cluster.pull_failed(image, client)
                raise
            self._cluster.note_pull(image, client, engine)
            await engine.refresh_images()
