"""Which failed pulls count for an image."""

from swarmcore.images import has_image, normal_image, registry_of
from swarmcore.node.node import Node


def count_failed_pulls(node: Node, image: str) -> int:
    """How many pulls failed on *node* lately for reasons that a pull of *image* would meet again.

    Returns:
        0 where it need not be pulled.
    """
    if not node.failed_pulls or has_image(node, image):
        return 0
    scopes = {"", registry_of(image), normal_image(image)}
    return sum(each.count for each in node.failed_pulls.values() if each.scope in scopes)
