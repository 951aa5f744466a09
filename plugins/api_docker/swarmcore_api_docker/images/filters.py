"""The filters of ``docker images``, on the list of the whole cluster."""

from collections.abc import Callable, Mapping, Sequence

from swarmcore.errors import BadRequest, NotFound
from swarmcore.filters import Filters
from swarmcore.images import can_be_image, named_ids, shown_image
from swarmcore.limits import FILTER_PATTERNS, check_count
from swarmcore_api_docker.compat.go import Glob, is_glob, parse_when
from swarmcore_api_docker.images.merge import Image
from swarmcore_api_docker.yielding import Pace, passing

#: ``before`` and ``since`` -> for each of their values the images that it names.
Marks = Mapping[str, Sequence[Sequence[Image]]]
_Test = Callable[[Image], bool]
#: Of how many images the engines are asked for the exact moment.
_MOST_TWINS = 200
_KEYS = frozenset({"before", "dangling", "label", "reference", "since", "until"})


async def find_marks(images: Sequence[Image], filters: Filters) -> Marks:
    """The images that ``before`` and ``since`` name.

    Args:
        images: all there are, merged.
        filters: the client's.

    Raises:
        BadRequest: a key that there is not, or a name that no image can have.
        NotFound: no engine has it.
    """
    filters.refuse_unknown(_KEYS)
    pace, by_id = Pace(), {image["Id"]: image for image in images}
    marks: dict[str, list[Sequence[Image]]] = {"before": [], "since": []}
    for key, found in marks.items():
        for text in filters.values(key):
            ids = named_ids(by_id, text)
            if not ids and not can_be_image(text):
                raise BadRequest("invalid reference format")
            if not ids:
                raise NotFound(f"No such image: {shown_image(text)}")
            found.append([by_id[id] for id in ids])
            await pace.keep()
    return marks


def twins(images: Sequence[Image], marks: Marks) -> list[Image]:
    """The images that ``before`` or ``since`` cannot tell apart by whole seconds.

    None where they are more than a client may have asked for, each with a request of its own: such
    images come from tools that give all of them one moment.

    Args:
        images: all there are.
        marks: what they name.
    """
    named = [image for of in marks.values() for found in of for image in found]
    seconds = {image.get("Created") for image in named}
    found = [image for image in images if image.get("Created") in seconds]
    return found if sum(map(len, marks.values())) < len(found) <= _MOST_TWINS else []


async def filter_images(
    images: Sequence[Image],
    filters: Filters,
    now: float,
    marks: Marks,
    moments: Mapping[str, float] | None = None,
) -> list[Image]:
    """The images that pass every filter; ``reference`` also narrows their names.

    Args:
        images: merged.
        filters: the client's, ``node`` taken out.
        now: Unix seconds, for ``until``.
        marks: what ``before`` and ``since`` name.
        moments: when images were made, in Unix seconds, finer than the list tells; see ``twins``.

    Raises:
        BadRequest: a value that its key cannot have.
        BadValue: the same where an engine answers 500.
    """
    tests = _tests_of_age(marks, moments or {})
    if "dangling" in filters:
        tests.append(_by_dangling(wanted=filters.flag("dangling")))
    if "label" in filters:
        holds = filters.labelled("label")
        tests.append(lambda image: holds(image.get("Labels") or {}))
    if ends := [parse_when(value, now) for value in filters.values("until")]:
        tests.append(lambda image: int(image.get("Created") or 0) < min(ends))
    chosen = await passing(images, lambda image: all(test(image) for test in tests))
    return await _narrowed(chosen, filters) if "reference" in filters else chosen


def _tests_of_age(marks: Marks, moments: Mapping[str, float]) -> list[_Test]:
    """Of several marks all count: older than the oldest, newer than the newest."""

    def made(image: Image) -> float:
        return moments.get(image["Id"], int(image.get("Created") or 0))

    before, since = ([max(map(made, found)) for found in marks[key]] for key in ("before", "since"))
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
    """The images that have a name which ``reference`` matches, with those names alone."""
    patterns = filters.values("reference")
    check_count(sum(map(is_glob, patterns)), FILTER_PATTERNS, "patterns of 'reference'")
    globs = [Glob(pattern) for pattern in patterns]
    narrowed, pace = [], Pace()
    for image in images:
        kept = {
            key: [name for name in image[key] if any(_refers(glob, name) for glob in globs)]
            for key in ("RepoTags", "RepoDigests")
        }
        if any(kept.values()):
            narrowed.append({**image, **kept})
        await pace.keep()
    return narrowed


def _refers(glob: Glob, name: str) -> bool:
    repository = name.partition("@")[0]
    if "@" not in name:
        repository = repository.rpartition(":")[0]
    return glob.matches(name) or glob.matches(repository)
