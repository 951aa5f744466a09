"""Which nodes have an image, and which of them can give it to another node.

An image from a registry is pulled by the client, with the client's credentials.  An image that was
built, committed or loaded exists only on engines and must be copied from one of them.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from swarmcore.images import can_be_id, familiar_image, is_local_image, named_ids, normal_image
from swarmcore.node.node import Node

#: How many nodes that have an image are inspected for a local one.
_MOST_ASKED: Final = 8


def image_test(name: str) -> Callable[[Node], bool]:
    """Build a test like ``images.has_image`` that is fast for one name and many nodes.

    Args:
        name: as a client wrote it.

    Returns:
        A function: node -> whether it has the image.
    """
    normal = normal_image(name)
    spellings = (normal, familiar_image(normal))
    digits = name.removeprefix("sha256:")
    may_be_id = can_be_id(name)

    def has(node: Node) -> bool:
        if any(spelling in node.listed_image_words for spelling in spellings):
            return True
        # An id prefix is not among the words.
        return may_be_id and any(
            id.removeprefix("sha256:").startswith(digits) for id in node.images
        )

    return has


def find_image_source(
    name: str, target: Node, nodes: Iterable[Node], *, pulled: bool = False
) -> Node | None:
    """The first of *nodes* that answers and can give the image to *target*.

    Args:
        name: as a client wrote it.
        target: the node that lacks the image.
        nodes: the nodes that may have it.
        pulled: whether images from a registry count, too.
    """
    has = image_test(name)
    able = (
        node
        for node in nodes
        if has(node) and node is not target and node.health and node.machine == target.machine
    )
    for node in islice(able, _MOST_ASKED):
        images = node.images
        if pulled or any(is_local_image(images[id], name) for id in named_ids(images, name)):
            return node
    return None
