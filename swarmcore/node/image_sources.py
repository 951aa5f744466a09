"""Which nodes have an image, and which of them can give it to another node.

An image that came from a registry is the client's to pull, with its credentials; one that was
built, committed or loaded can be had from the engines that have it alone.
"""

from collections.abc import Callable, Iterable

from swarmcore.images import familiar_image, has_image, is_local_image, named_ids, normal_image
from swarmcore.node.node import Node


def image_test(name: str) -> Callable[[Node], bool]:
    """As ``images.has_image`` for one name and many nodes, without a look at each of their images.

    Args:
        name: as a client wrote it.

    Returns:
        Whether a node has the image.
    """
    normal = normal_image(name)
    spellings = (normal, familiar_image(normal))
    # An id, or the beginning of one, is no word of an image.
    digits = name.removeprefix("sha256:")
    may_be_id = 0 < len(digits) <= 64 and set(digits) <= set("0123456789abcdef")

    def has(node: Node) -> bool:
        if any(spelling in node.listed_image_words for spelling in spellings):
            return True
        return may_be_id and has_image(node, name)

    return has


def find_image_source(
    name: str, target: Node, nodes: Iterable[Node], *, pulled: bool = False
) -> Node | None:
    """The first of *nodes* that answers and can give *target* the image.

    Args:
        name: as a client wrote it.
        target: lacks it.
        nodes: that may have it.
        pulled: also one that came from a registry.
    """
    has = image_test(name)
    for node in nodes:
        if node is target or not node.health or node.machine != target.machine or not has(node):
            continue
        images = node.images
        if pulled or any(is_local_image(images[id], name) for id in named_ids(images, name)):
            return node
    return None
