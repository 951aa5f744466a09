"""``GET /images/json`` of many engines as one list: one row per id, filters, order."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any

from swarmcore.errors import BadRequest, NotFound
from swarmcore.images import named_ids, names_of_image
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.glob import match_glob
from swarmcore_api_docker.timestamps import parse_when

Image = dict[str, Any]
_Test = Callable[[Image], bool]

#: Up to here engines wrote ``<none>:<none>`` where an image has no name.
_EMPTY_LISTS = ApiVersion(1, 43)
#: Up to here an image had a ``VirtualSize``, equal to ``Size``.
_NO_VIRTUAL_SIZE = ApiVersion(1, 44)
_TRUE, _FALSE = frozenset({"1", "t", "true"}), frozenset({"0", "f", "false"})


def merge_images(lists: Iterable[Iterable[Mapping[str, Any]]]) -> list[Image]:
    """One object per id, newest first.

    Args:
        lists: what each engine lists.

    Returns:
        Objects with the union of tags and digests (placeholders dropped), the sum of ``Containers``
        and the largest ``SharedSize`` where known (-1 is unknown), and the manifests of all.
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
    """By descriptor digest: available where any engine has it, used by the containers of all."""
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


@dataclass(frozen=True, slots=True)
class _Around:
    """What filters look at beside the image.

    Attributes:
        images: that ``before`` and ``since`` may name.
        now: Unix seconds.
        moments: image id -> when it was made, where that is known finer than to a second.
    """

    images: Sequence[Image]
    now: float
    moments: Mapping[str, float]

    def made(self, image: Image) -> float:
        """When an image was made, in Unix seconds."""
        return self.moments.get(image["Id"]) or float(image.get("Created") or 0)

    def mark(self, text: str) -> float:
        """When the image that ``before`` or ``since`` names was made.

        Raises:
            NotFound: no engine has it.
        """
        return max(map(self.made, _named(self.images, text)))


def _named(images: Sequence[Image], text: str) -> list[Image]:
    by_id = {image["Id"]: image for image in images}
    found = [by_id[id] for id in named_ids(by_id, text)]
    if not found:
        raise NotFound(f"No such image: {text}")
    return found


def twins(images: Sequence[Image], filters: Mapping[str, Sequence[str]]) -> list[Image]:
    """The images that ``before`` or ``since`` cannot tell apart by whole seconds.

    Args:
        images: all there are.
        filters: as for ``filter_images``.

    Raises:
        NotFound: as ``filter_images``.
    """
    names = [*(filters.get("before") or ()), *(filters.get("since") or ())]
    seconds = {image.get("Created") for name in names for image in _named(images, name)}
    found = [image for image in images if image.get("Created") in seconds]
    return found if len(found) > len(names) else []


def without_intermediates(
    images: Sequence[Image], parents: Set[str], *, with_digests: bool = False
) -> list[Image]:
    """The list as it is without ``all``: less nameless images that others are built on.

    Args:
        images: merged.
        parents: ids of images that others are built on, on any engine.
        with_digests: those with a digest and no tag go as well, as in a list of dangling images,
            which engines make of the ends of chains alone.
    """
    return [
        image
        for image in images
        if image["Id"] not in parents
        or image["RepoTags"]
        or (image["RepoDigests"] and not with_digests)
    ]


def count_listed(lists: Iterable[Iterable[Mapping[str, Any]]]) -> int:
    """How many rows ``docker images`` has for what each engine lists, without merging them."""
    listed, nameless, parents = set[str](), set[str](), set[str]()
    for image in chain.from_iterable(lists):
        named = _names(image, "RepoTags") or _names(image, "RepoDigests")
        (listed if named else nameless).add(image["Id"])
        parents.add(str(image.get("ParentId")))
    return len(listed | (nameless - parents))


def asks_for_dangling(filters: Mapping[str, Sequence[str]]) -> bool:
    """Whether only images without a tag are asked for."""
    return any(value.lower() in _TRUE for value in filters.get("dangling") or ())


def filter_images(
    images: Sequence[Image],
    filters: Mapping[str, Sequence[str]],
    now: float,
    among: Sequence[Image] | None = None,
    moments: Mapping[str, float] | None = None,
) -> list[Image]:
    """The images that pass every filter; ``reference`` also narrows their names.

    Args:
        images: merged.
        filters: as ``Query.filters`` reads them, ``node`` taken out.
        now: Unix seconds, for ``until``.
        among: what ``before`` and ``since`` may name; ``None``: *images*.
        moments: when images were made, in Unix seconds, finer than the list tells; see ``twins``.

    Raises:
        BadRequest: an unknown key, or a value that its key cannot have.
        NotFound: ``before`` or ``since`` names no image of any engine.
    """
    around = _Around(images if among is None else among, now, moments or {})
    tests: list[_Test] = []
    patterns: Sequence[str] = ()
    for key, values in filters.items():
        if key == "reference":
            patterns = values
        elif key in _COMPILERS:
            tests += [_COMPILERS[key](value, around) for value in values]
        else:
            raise BadRequest(f"invalid filter '{key}'")
    chosen = [image for image in images if all(test(image) for test in tests)]
    if patterns:
        chosen = [narrowed for image in chosen if (narrowed := _narrow(image, patterns))]
    return chosen


def _narrow(image: Image, patterns: Sequence[str]) -> Image | None:
    """The image with the names that match, or ``None`` when none does."""
    narrowed = {
        key: [name for name in image[key] if any(_refers(pattern, name) for pattern in patterns)]
        for key in ("RepoTags", "RepoDigests")
    }
    return {**image, **narrowed} if any(narrowed.values()) else None


def _refers(pattern: str, name: str) -> bool:
    repository = name.partition("@")[0]
    if "@" not in name:
        repository = repository.rpartition(":")[0]
    return match_glob(pattern, name) or match_glob(pattern, repository)


def _by_dangling(value: str, around: _Around) -> _Test:
    if value.lower() in _TRUE:
        return lambda image: not image["RepoTags"]
    if value.lower() in _FALSE:
        return lambda image: bool(image["RepoTags"] or image["RepoDigests"])
    raise BadRequest(f"invalid filter 'dangling=[{value}]'")


def _by_label(value: str, around: _Around) -> _Test:
    key, equals, wanted = value.partition("=")

    def test(image: Image) -> bool:
        labels = image.get("Labels") or {}
        return key in labels and (not equals or labels[key] == wanted)

    return test


def _by_no_label(value: str, around: _Around) -> _Test:
    has = _by_label(value, around)
    return lambda image: not has(image)


def _by_before(value: str, around: _Around) -> _Test:
    mark = around.mark(value)
    return lambda image: around.made(image) < mark


def _by_since(value: str, around: _Around) -> _Test:
    mark = around.mark(value)
    return lambda image: around.made(image) > mark


def _by_until(value: str, around: _Around) -> _Test:
    until = parse_when(value, around.now, "until") or 0
    return lambda image: int(image.get("Created") or 0) < until


_COMPILERS: dict[str, Callable[[str, _Around], _Test]] = {
    "before": _by_before,
    "dangling": _by_dangling,
    "label": _by_label,
    "label!": _by_no_label,
    "since": _by_since,
    "until": _by_until,
}


def show_images(images: Iterable[Image], version: ApiVersion) -> list[Image]:
    """The list in the form of a client's API version."""
    shown = []
    for image in images:
        copy = dict(image)
        if version < _EMPTY_LISTS and not names_of_image(image):
            copy |= {"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}
        if version < _NO_VIRTUAL_SIZE:
            copy.setdefault("VirtualSize", copy.get("Size", 0))
        shown.append(copy)
    return shown
