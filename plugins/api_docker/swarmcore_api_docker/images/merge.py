"""Merge the image lists of several engines: one row for each id, newest first.  Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain
from typing import Any

from swarmcore.images import names_of_image
from swarmcore.versions import ApiVersion

#: One object of ``GET /images/json``.
Image = dict[str, Any]
#: Before this version, engines wrote ``<none>:<none>`` where an image has no name.
_EMPTY_LISTS = ApiVersion(1, 43)
#: Before this version, an image had a ``VirtualSize``, equal to ``Size``.
_NO_VIRTUAL_SIZE = ApiVersion(1, 44)


def merge_images(lists: Iterable[Iterable[Mapping[str, Any]]]) -> list[Image]:
    """One object for each id, newest first.

    Args:
        lists: the image list of each engine.

    Returns:
        Objects with all tags and digests (without placeholders), the sum of ``Containers`` and the
        largest ``SharedSize`` where these are known (-1 is unknown), and all manifests.
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
    """One manifest for each digest: available if any engine has it, with the containers of all."""
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
    """The list without intermediate images: those without a name that others are built on.

    Args:
        images: merged images.
        parents: ids of images that others are built on, on any engine.
        with_digests: also leave out parents that have a digest and no tag.  Engines do so in a list
            of dangling images, which has only images that no other is built on.
    """
    return [
        image
        for image in images
        if image["Id"] not in parents
        or image["RepoTags"]
        or (image["RepoDigests"] and not with_digests)
    ]


def count_listed(lists: Iterable[Iterable[Mapping[str, Any]]]) -> int:
    """How many rows ``docker images`` shows for the lists of all engines, without merging them."""
    listed, nameless, parents = set[str](), set[str](), set[str]()
    for image in chain.from_iterable(lists):
        named = _names(image, "RepoTags") or _names(image, "RepoDigests")
        (listed if named else nameless).add(image["Id"])
        parents.add(str(image.get("ParentId")))
    return len(listed | (nameless - parents))


def show_images(images: Iterable[Image], version: ApiVersion) -> list[Image]:
    """The list as clients of an API version read it."""
    shown = []
    for image in images:
        copy = dict(image)
        if version < _EMPTY_LISTS and not names_of_image(image):
            copy |= {"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}
        if version < _NO_VIRTUAL_SIZE:
            copy.setdefault("VirtualSize", copy.get("Size", 0))
        shown.append(copy)
    return shown
