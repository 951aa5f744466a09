"""What an engine says of itself and lists, as far as other engines depend on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swarmcore.node.networks_and_volumes import NodeObjects
from swarmcore.node.spanning import Spanning, Ties, read_ties

_Documents = Mapping[str, Mapping[str, Any]]


class NodeLists:
    """What an engine lists; the base of ``Node``, on which other nodes depend.

    Args:
        id, name: the node's.
        spanning: what spans the engines of its cluster; its own where it is alone.
    """

    def __init__(self, id: str, name: str, spanning: Spanning | None = None) -> None:
        self.id = id
        self.name = name
        self.spanning = spanning or Spanning()
        self._info: Mapping[str, Any] = {}
        #: Its networks and volumes.
        self.objects = NodeObjects()
        self._ties = Ties()

    @property
    def info(self) -> Mapping[str, Any]:
        """Its ``GET /info``, untouched; replaced whole, never changed."""
        return self._info

    @info.setter
    def info(self, info: Mapping[str, Any]) -> None:
        with self._relisting():
            self._info = info

    @property
    def networks(self) -> _Documents:
        """Network id -> its object in ``GET /networks``; replaced whole, never changed."""
        return self.objects.networks

    @networks.setter
    def networks(self, networks: _Documents) -> None:
        with self._relisting():
            self.objects.list_networks(networks)

    @property
    def volumes(self) -> _Documents:
        """Volume name -> its object in ``GET /volumes``; replaced whole, never changed."""
        return self.objects.volumes

    @volumes.setter
    def volumes(self, volumes: _Documents) -> None:
        with self._relisting():
            self.objects.list_volumes(volumes)

    def reaches_volume(self, name: str) -> bool:
        """Whether the engine lists a volume called *name* and keeps it, or reaches another's."""
        if name in self.volumes and not self.objects.is_leaving(("volume", name)):
            return True
        return self.spanning.reaches_volume(self, name)

    @property
    def ties(self) -> Ties:
        """What it shares with other engines."""
        return self._ties

    @contextmanager
    def _relisting(self) -> Iterator[None]:
        """Have what spans engines follow a change of what this one lists."""
        self.spanning.drop(self)
        try:
            yield
        finally:
            self._ties = read_ties(self._info, self.volumes.values())
            self.spanning.put(self)
