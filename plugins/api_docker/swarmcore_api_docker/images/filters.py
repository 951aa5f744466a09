"""The filters of ``docker images``, applied to the merged list of all engines."""

from collections.abc import Callable, Mapping, Sequence

from swarmcore.errors import BadRequest, NotFound
from swarmcore.go_formats import Glob, is_glob, parse_time_or_duration
from swarmcore.images import can_be_image, named_ids, shown_image
from swarmcore.list_filters import Filters
from swarmcore.request_limits import FILTER_PATTERNS, check_count
from swarmcore_api_docker.images.merge import Image
from swarmcore_api_docker.yielding import Yielder, select_items

#: ``before`` and ``since`` -> for each of their values, the images that it names.
Bounds = Mapping[str, Sequence[Sequence[Image]]]
_Test = Callable[[Image], bool]
#: Engines are asked for the exact creation time of at most this many images, one request each.
_MOST_INDISTINCT = 200
_KEYS = frozenset({"before", "dangling", "label", "reference", "since", "until"})


async def find_bounds(images: Sequence[Image], filters: Filters) -> Bounds:
    """Find the images that ``before`` and ``since`` name.

    Args:
        images: all images, merged.
        filters: the client's filters.

    Raises:
        BadRequest: an unknown filter, or an invalid image name.
        NotFound: no engine has an image of that name.
    """
    filters.refuse_unknown(_KEYS)
    yielder, by_id = Yielder(), {image["Id"]: image for image in images}
    bounds: dict[str, list[Sequence[Image]]] = {"before": [], "since": []}
    for key, found in bounds.items():
        for text in filters.values(key):
            ids = named_ids(by_id, text)
            if not ids and not can_be_image(text):
                raise BadRequest("invalid reference format")
            if not ids:
                raise NotFound(f"No such image: {shown_image(text)}")
            found.append([by_id[id] for id in ids])
            await yielder.checkpoint()
    return bounds


def indistinct_images(images: Sequence[Image], bounds: Bounds) -> list[Image]:
    """Return the images that were made in the same second as an image in *bounds*.

    A list has creation times in whole seconds only, so it does not tell which of them is older.

    Args:
        images: all images.
        bounds: the images that ``before`` and ``since`` name.

    Returns:
        The images; empty if they are more than 200, because build tools that give every image the
        same time make such lists.
    """
    named = [image for of in bounds.values() for found in of for image in found]
    seconds = {image.get("Created") for image in named}
    found = [image for image in images if image.get("Created") in seconds]
    return found if sum(map(len, bounds.values())) < len(found) <= _MOST_INDISTINCT else []


async def filter_images(
    images: Sequence[Image],
    filters: Filters,
    now: float,
    bounds: Bounds,
    creation_times: Mapping[str, float] | None = None,
) -> list[Image]:
    """Return the images that pass every filter; ``reference`` also reduces their names.

    Args:
        images: merged images.
        filters: the client's filters without ``node``.
        now: Unix seconds, for ``until``.
        bounds: the images that ``before`` and ``since`` name.
        creation_times: image id -> Unix seconds with a fraction, for ``indistinct_images``.

    Raises:
        BadRequest: a filter has an invalid value.
        BadValue: an invalid value for which an engine answers 500.
    """
    tests = _tests_of_age(bounds, creation_times or {})
    if "dangling" in filters:
        tests.append(_by_dangling(wanted=filters.flag("dangling")))
    if "label" in filters:
        holds = filters.labelled("label")
        tests.append(lambda image: holds(image.get("Labels") or {}))
    if ends := [parse_time_or_duration(value, now) for value in filters.values("until")]:
        tests.append(lambda image: int(image.get("Created") or 0) < min(ends))
    chosen = await select_items(images, lambda image: all(test(image) for test in tests))
    return await _narrowed(chosen, filters) if "reference" in filters else chosen


def _tests_of_age(bounds: Bounds, creation_times: Mapping[str, float]) -> list[_Test]:
    """Return tests for "older than all of ``before``" and "newer than all of ``since``"."""

    def made(image: Image) -> float:
        return creation_times.get(image["Id"], int(image.get("Created") or 0))

    before, since = (
        [max(map(made, found)) for found in bounds[key]] for key in ("before", "since")
    )
    tests: list[_Test] = []
    if before:
        tests.append(lambda image: made(image) < min(before))
    if since:
        tests.append(lambda image: made(image) > max(since))
    return tests


def _by_dangling(*, wanted: bool) -> _Test:
    if wanted:
        return lambda image: not image["RepoTags"]
    return lambda image: bool(image["RepoTags"] or image["RepoDigests"])


async def _narrowed(images: Sequence[Image], filters: Filters) -> list[Image]:
    """Return the images with a name that ``reference`` matches, with only the matching names."""
    patterns = filters.values("reference")
    check_count(sum(map(is_glob, patterns)), FILTER_PATTERNS, "patterns of 'reference'")
    globs = [Glob(pattern) for pattern in patterns]
    narrowed, yielder = [], Yielder()
    for image in images:
        kept = {
            key: [name for name in image[key] if any(_refers(glob, name) for glob in globs)]
            for key in ("RepoTags", "RepoDigests")
        }
        if any(kept.values()):
            narrowed.append({**image, **kept})
        await yielder.checkpoint()
    return narrowed


def _refers(glob: Glob, name: str) -> bool:
    repository = name.partition("@")[0]
    if "@" not in name:
        repository = repository.rpartition(":")[0]
    return glob.matches(name) or glob.matches(repository)
