"""Merge the image lists of several engines: one row for each id, newest first.  Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain
from typing import Any

from swarmcore.images import names_of_image
from swarmcore.versions import ApiVersion

#: One object of ``GET /images/json``.
Image = dict[str, Any]
#: Before this version, engines wrote ``<none>:<none>`` for an image without a name.
_EMPTY_LISTS = ApiVersion(1, 43)
#: Before this version, an image had a ``VirtualSize``, equal to ``Size``.
_NO_VIRTUAL_SIZE = ApiVersion(1, 44)


def merge_images(lists: Iterable[Iterable[Mapping[str, Any]]]) -> list[Image]:
    """Merge the images of all engines into one object for each id, newest first.

    Args:
        lists: the image list of each engine.

    Returns:
        Objects with all tags, digests (without placeholders) and manifests.  ``Containers`` is the
        sum and ``SharedSize`` the largest of the values that are known (-1 means unknown).
    """
    merged: dict[str, Image] = {}
    for images in lists:
        for image in images:
            known = merged.get(image["Id"])
            merged[image["Id"]] = _copy(image) if known is None else _merge(known, image)
    return sorted(merged.values(), key=lambda image: int(image.get("Created") or 0), reverse=True)


def _copy(image: Mapping[str, Any]) -> Image:
    return {
        **image,
        "RepoTags": _names(image, "RepoTags"),
        "RepoDigests": _names(image, "RepoDigests"),
    }


def _names(image: Mapping[str, Any], key: str) -> list[str]:
    return [name for name in image.get(key) or () if not name.startswith("<none>")]


def _merge(known: Image, other: Mapping[str, Any]) -> Image:
    for key in ("RepoTags", "RepoDigests"):
        known[key] = list(dict.fromkeys(known[key] + _names(other, key)))
    counts = [image.get("Containers", -1) for image in (known, other)]
    if max(counts) >= 0:
        known["Containers"] = sum(count for count in counts if count >= 0)
    known["SharedSize"] = max(known.get("SharedSize", -1), other.get("SharedSize", -1))
    if known.get("Manifests") or other.get("Manifests"):
        known["Manifests"] = _merge_manifests(known.get("Manifests"), other.get("Manifests"))
    return known


def _merge_manifests(
    known: Sequence[Mapping[str, Any]] | None, others: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Merge manifests by digest: available if any engine has it, with the containers of all."""
    merged: dict[str, dict[str, Any]] = {}
    for manifest in [*(known or ()), *(others or ())]:
        digest = (manifest.get("Descriptor") or {}).get("digest", manifest.get("ID", ""))
        first = merged.setdefault(digest, {**manifest, "Available": False})
        first["Available"] = first["Available"] or bool(manifest.get("Available"))
        data, mine = manifest.get("ImageData"), first.get("ImageData")
        if data and mine and data is not mine:
            containers = [*(mine.get("Containers") or ()), *(data.get("Containers") or ())]
            first["ImageData"] = {**mine, "Containers": list(dict.fromkeys(containers))}
    return list(merged.values())


def without_intermediates(
    images: Sequence[Image], parents: Set[str], *, with_digests: bool = False
) -> list[Image]:
    """Return the list without intermediate images, which have no name and have child images.

    Args:
        images: merged images.
        parents: ids of images that have child images on any engine.
        with_digests: also leave out parents that have a digest and no tag.  Engines do so in a list
            of dangling images, which contains only images without child images.
    """
    return [
        image
        for image in images
        if image["Id"] not in parents
        or image["RepoTags"]
        or (image["RepoDigests"] and not with_digests)
    ]


def count_listed(lists: Iterable[Iterable[Mapping[str, Any]]]) -> int:
    """Count the rows that ``docker images`` shows for the lists of all engines; do not merge."""
    listed, nameless, parents = set[str](), set[str](), set[str]()
    for image in chain.from_iterable(lists):
        named = _names(image, "RepoTags") or _names(image, "RepoDigests")
        (listed if named else nameless).add(image["Id"])
        parents.add(str(image.get("ParentId")))
    return len(listed | (nameless - parents))


def show_images(images: Iterable[Image], version: ApiVersion) -> list[Image]:
    """Return the list in the form of the client's API version."""
    shown = []
    for image in images:
        copy = dict(image)
        if version < _EMPTY_LISTS and not names_of_image(image):
            copy |= {"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}
        if version < _NO_VIRTUAL_SIZE:
            copy.setdefault("VirtualSize", copy.get("Size", 0))
        shown.append(copy)
    return shown
