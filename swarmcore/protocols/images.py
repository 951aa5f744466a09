"""What image names mean over the whole cluster, as API plugins ask and tell."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from swarmcore.node import Node


class ImageNaming(Protocol):
    """One act that gives names to images, on one engine or on several."""

    def named(self, name: str, node: Node) -> None:
        """The act gave *name* to what the engine of *node* calls so now.

        The node's images must have been read since.  Of several nodes that one act named, the
        images count as one, also where their ids differ: an import gives each engine its own.

        Args:
            name: as the client wrote it.
            node: whose engine did its part; one that does not have the name is passed over.
        """
        ...


class ImageNames(Protocol):
    """Which image each name means: the one that it was last given, on whatever engine.

    A node that has another image of that name has it in ``Node.moved_names`` instead of
    ``Node.images``, so that ``images.has_image`` answers whether the image that is meant is there.
    What engines' events and lists tell is known without any call here.
    """

    def ids(self, name: str) -> frozenset[str]:
        """The ids of the image that *name* means: one, or one of each kind of engine that has it;
        nothing where no engine has the name.  Digests and ids are no names here."""
        ...

    def naming(self) -> ImageNaming:
        """An act of naming begins: a pull, a load, a tag, an import, a build."""
        ...

    def copying(self, name: str, source: Node, target: Node) -> AbstractContextManager[None]:
        """What *target* gets under *name* while the block lasts, its list read anew before the
        end, is a copy of the image of *source*, and gives the name to nothing else."""
        ...

    def setting_aside(self, node: Node, names: Iterable[str]) -> AbstractContextManager[None]:
        """What the engine of *node* calls *names* while the block lasts does not count: the manager
        is about to take these names away there."""
        ...
