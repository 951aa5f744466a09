"""The parts of a node that other nodes depend on: its engine's info, networks and volumes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swarmcore.node.networks_and_volumes import NodeObjects
from swarmcore.node.spanning import Spanning, Ties, read_ties

_Documents = Mapping[str, Mapping[str, Any]]


class NodeLists:
    """What an engine lists; the base class of ``Node``.

    Args:
        id, name: the node's.
        spanning: objects that span the engines of the cluster; ``None`` for a node on its own.
    """

    def __init__(self, id: str, name: str, spanning: Spanning | None = None) -> None:
        self.id = id
        self.name = name
        self.spanning = spanning or Spanning()
        self._info: Mapping[str, Any] = {}
        #: Networks and volumes of this node.
        self.objects = NodeObjects()
        self._ties = Ties()

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
