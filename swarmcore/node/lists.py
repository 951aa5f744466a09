"""What the engine of a node lists: its info, networks, volumes and images."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swarmcore.node.networks_and_volumes import NodeObjects
from swarmcore.node.node_images import NodeImages
from swarmcore.node.revision import Counted
from swarmcore.node.spanning import Spanning, Ties, read_ties

_Documents = Mapping[str, Mapping[str, Any]]


class NodeLists(Counted):
    """What an engine lists; the base class of ``Node``.

    Args:
        id, name: the node's.
        spanning: objects that span the engines of the cluster; ``None`` for a node on its own.

    Attributes:
        image_changes: how often images or their names were changed; what was derived from them is
            valid while the number is the same.
    """

    def __init__(self, id: str, name: str, spanning: Spanning | None = None) -> None:
        super().__init__()
        self.id = id
        self.name = name
        self.spanning = spanning or Spanning()
        self._info: Mapping[str, Any] = {}
        #: Networks and volumes of this node.
        self.objects = NodeObjects()
        self._ties = Ties()
        self._node_images = NodeImages()
        self.image_changes = 0

    @property
    def info(self) -> Mapping[str, Any]:
        """The engine's ``GET /info``; replaced as a whole, never changed in place."""
        return self._info

    @info.setter
    def info(self, info: Mapping[str, Any]) -> None:
        with self._relisting():
            self._info = info

    @property
    def networks(self) -> _Documents:
        """Network id -> its object in ``GET /networks``; replaced as a whole."""
        return self.objects.networks

    @networks.setter
    def networks(self, networks: _Documents) -> None:
        with self._relisting():
            self.objects.list_networks(networks)

    @property
    def volumes(self) -> _Documents:
        """Volume name -> its object in ``GET /volumes``; replaced as a whole."""
        return self.objects.volumes

    @volumes.setter
    def volumes(self, volumes: _Documents) -> None:
        with self._relisting():
            self.objects.list_volumes(volumes)

    def reaches_volume(self, name: str) -> bool:
        """Whether the engine has a volume *name* that is not being moved away, or shares one."""
        if name in self.volumes and not self.objects.is_leaving(("volume", name)):
            return True
        return self.spanning.reaches_volume(self, name)

    @property
    def ties(self) -> Ties:
        """What the engine shares with other engines."""
        return self._ties

    @contextmanager
    def _relisting(self) -> Iterator[None]:
        """Update the objects that span engines after a change of this node's lists."""
        self.spanning.drop(self)
        try:
            yield
        finally:
            self._ties = read_ties(self._info, self.volumes.values())
            self.spanning.put(self)

    @property
    def images(self) -> Mapping[str, Mapping[str, Any]]:
        """Image id -> its object in ``GET /images/json``, without names that moved away; replaced
        as a whole."""
        return self._node_images.images

    @images.setter
    def images(self, images: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the images by the engine's list."""
        self._node_images.put(images)
        self.image_changes += 1

    @property
    def moved_names(self) -> Mapping[str, str]:
        """Names that now refer to an image of another node -> id of the image that this engine
        still has under the name.  Set by the cluster's ``image_names`` only."""
        return self._node_images.moved_names

    @moved_names.setter
    def moved_names(self, names: Mapping[str, str]) -> None:
        self._node_images.move(names)
        self.image_changes += 1

    def image_called(self, name: str) -> str:
        """The id of the image that the node has under *name*; empty if it has none.

        Args:
            name: a tag or digest as engines print it; see ``images.shown_image``.
        """
        return self._node_images.named.get(name, "")

    @property
    def listed_image_words(self) -> Collection[str]:
        """Like ``image_words``, without the images of reservations."""
        return self._node_images.words
