"""Which image an image name refers to across the cluster."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from swarmcore.node import Node


class ImageNaming(Protocol):
    """One operation that names images, such as a pull or a tag, on one engine or several."""

    def named(self, name: str, node: Node) -> None:
        """Record that the operation gave *name* to the image that *node* has under that name now.

        The node's image list must have been read after the operation.  If one operation names
        images on several nodes, they count as one image even if their ids differ: an import
        produces a different id on every engine.

        Args:
            name: as the client wrote it.
            node: the node on which the name was given; ignored if it does not have the name.
        """
        ...


class ImageNames(Protocol):
    """Which image each name refers to: the one that was named last, on any engine.

    A node that has an older image under that name lists it in ``Node.moved_names`` instead of
    ``Node.images``, so ``images.has_image`` tells whether a node has the current image.  Changes
    that engines report by events and lists need no call here.
    """

    def ids(self, name: str) -> frozenset[str]:
        """The ids of the image that *name* refers to: one, or one per kind of engine that has it;
        empty if no engine has the name.  Digests and ids are not names."""
        ...

    def naming(self) -> ImageNaming:
        """Begin an operation that names images: a pull, load, tag, import or build."""
        ...

    def copying(self, name: str, source: Node, target: Node) -> AbstractContextManager[None]:
        """Copy an image from *source* to *target* within the block.

        The caller reads *target*'s image list again before the end of the block.  The image that
        *target* then has under *name* counts as a copy; *name* keeps its meaning."""
        ...

    def setting_aside(self, node: Node, names: Iterable[str]) -> AbstractContextManager[None]:
        """Ignore what *node* has under *names* while the block runs: the manager is about to
        remove these names there."""
        ...
