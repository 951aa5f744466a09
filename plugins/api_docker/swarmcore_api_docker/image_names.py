"""What an image text names: a tag, a digest, an id or the beginning of one."""

import re
from collections.abc import Mapping
from typing import Any

from swarmcore.images import familiar_image, normal_image
from swarmcore.node import Node

_Images = Mapping[str, Mapping[str, Any]]

_HEX = re.compile(r"[0-9a-f]{1,64}")


def shown_name(text: str) -> str:
    """*text* as engines print it: ``docker.io/library/busybox`` -> ``busybox:latest``."""
    return familiar_image(normal_image(text))


def named_ids(images: _Images, text: str) -> set[str]:
    """Ids of the images that *text* names: by name, else by id or its beginning.

    Args:
        images: id -> its object in ``GET /images/json``.
        text: what a client wrote.
    """
    name = shown_name(text)
    found = {id for id, image in images.items() if name in image_names(image)}
    if found:
        return found
    prefix = text.removeprefix("sha256:")
    if not _HEX.fullmatch(prefix):
        return set()
    return {id for id in images if id.removeprefix("sha256:").startswith(prefix)}


def image_names(image: Mapping[str, Any]) -> list[str]:
    """Every tag and digest of an image, placeholders left out."""
    names = [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]
    return [name for name in names if not name.startswith("<none>")]


def image_ids(node: Node, text: str) -> set[str]:
    """Ids of a node's images that *text* names."""
    return named_ids(node.images, text)
