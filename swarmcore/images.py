"""Image references: how they are normalised, and which images they refer to.

Engines print short names (``busybox:latest``); clients and other engines may use the full name of
the same image (``docker.io/library/busybox:latest``).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from swarmcore.json_values import as_texts

_Images = Mapping[str, Mapping[str, Any]]

_HUB = "docker.io"
_OFFICIAL = f"{_HUB}/library/"
_ID = re.compile(r"(sha256:)?[0-9a-f]{64}")
_ID_BEGINNING = re.compile(r"[0-9a-f]{1,64}")
#: Docker's grammar of references: host and port, path in lower case, tag, digest.
_REFERENCE = re.compile(
    r"(?:(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9+._-]*:[0-9A-Fa-f]{32,})?",
    re.ASCII,
)


class ImageHolder(Protocol):
    """An object that has images: a node."""

    @property
    def images(self) -> _Images:
        """Image id -> its object in ``GET /images/json``, without names that moved away."""
        ...

    @property
    def moved_names(self) -> Mapping[str, str]:
        """Names that refer to another image by now -> id of the image that the engine has."""
        ...

    def image_called(self, name: str) -> str:
        """The id of the image with *name*, as engines print it; empty if there is none."""
        ...


def split_image(text: str) -> tuple[str, str]:
    """Split into the repository and ``:tag``, ``@sha256:...`` or an empty text.

    A tag before a digest is dropped, as only the digest counts: ``a:1@sha256:2`` gives ``a`` and
    ``@sha256:2``.
    """
    name, at, digest = text.partition("@")
    colon = name.rfind(":")
    tagged = colon > name.rfind("/")
    repository = name[:colon] if tagged else name
    if at:
        return repository, f"@{digest}"
    return repository, name[colon:] if tagged else ""


def normal_image(text: str) -> str:
    """The full name of an image with host, path, and tag or digest; ids get ``sha256:``."""
    if _ID.fullmatch(text):
        return text if text.startswith("sha256:") else f"sha256:{text}"
    repository, rest = split_image(text)
    host, slash, path = repository.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, path = _HUB, repository
    if host == "index.docker.io":
        host = _HUB
    if host == _HUB and "/" not in path:
        path = f"library/{path}"
    return f"{host}/{path}{rest or ':latest'}"


def familiar_image(text: str) -> str:
    """A full name as engines print it, without Docker Hub's host and ``library/``."""
    return text.removeprefix(_OFFICIAL).removeprefix(f"{_HUB}/")


def shown_image(text: str) -> str:
    """Any name as engines print it: ``docker.io/library/busybox`` -> ``busybox:latest``."""
    return familiar_image(normal_image(text))


def registry_of(text: str) -> str:
    """The host of the registry in *text*; ``docker.io`` if it has none."""
    return normal_image(text).partition("/")[0]


def can_be_image(text: str) -> bool:
    """Whether *text* is a valid image reference; includes ids."""
    return _REFERENCE.fullmatch(text) is not None


def names_of_image(image: Mapping[str, Any]) -> list[str]:
    """All tags and digests of an object in ``GET /images/json``, without placeholders."""
    names = [*as_texts(image.get("RepoTags")), *as_texts(image.get("RepoDigests"))]
    return [name for name in names if not name.startswith("<none>")]


def named_ids(images: _Images, text: str) -> set[str]:
    """Ids of the images that *text* refers to: by tag or digest, otherwise by id or id prefix.

    Args:
        images: id -> its object in ``GET /images/json``.
        text: as a client wrote it.
    """
    normal = normal_image(text)
    if normal in images:
        return {normal}
    spellings = {normal, familiar_image(normal)}
    found = {id for id, image in images.items() if not spellings.isdisjoint(names_of_image(image))}
    if found:
        return found
    return _begun_ids(images, text)


def _begun_ids(images: _Images, text: str) -> set[str]:
    if not can_be_id(text):
        return set()
    digits = text.removeprefix("sha256:")
    return {id for id in images if id.removeprefix("sha256:").startswith(digits)}


def has_image(holder: ImageHolder, text: str) -> bool:
    """Whether *holder* has the image that *text* refers to.

    An older image that the engine still has under that name does not count; see ``has_moved``.
    """
    return is_called(holder, text) or bool(_begun_ids(holder.images, text))


def is_called(holder: ImageHolder, text: str) -> bool:
    """Whether *holder* has an image whose name, digest or full id is *text*."""
    normal = normal_image(text)
    return normal in holder.images or bool(holder.image_called(familiar_image(normal)))


def is_local_image(image: Mapping[str, Any], name: str) -> bool:
    """Whether *image* has no registry digest for *name*, so that it exists only on engines.

    Args:
        image: its object in ``GET /images/json``.
        name: as a client wrote it.
    """
    repository = split_image(shown_image(name))[0]
    digests = image.get("RepoDigests") or ()
    return not any(split_image(digest)[0] == repository for digest in digests)


def can_be_id(text: str) -> bool:
    """Whether *text* may be an image id or id prefix; a name of hexadecimal digits may be one."""
    return _ID_BEGINNING.fullmatch(text.removeprefix("sha256:")) is not None


def has_moved(holder: ImageHolder, text: str) -> bool:
    """Whether the engine of *holder* has another image under *text* than the current one.

    A request that names the image must not go there, as the engine would use the wrong image.
    """
    return bool(holder.moved_names) and shown_image(text) in holder.moved_names


def without_moved_names(moved: Mapping[str, str], image: Mapping[str, Any]) -> Mapping[str, Any]:
    """An image object of an engine without the names that moved away.

    Args:
        moved: the node's ``moved_names``; see ``ImageHolder``.
        image: an object with ``Id`` and ``RepoTags``.
    """
    id, tags = image.get("Id"), image.get("RepoTags") or ()
    kept = [tag for tag in tags if moved.get(familiar_image(tag)) != id]
    return image if len(kept) == len(tags) else {**image, "RepoTags": kept}


def words_of_images(images: _Images) -> Iterator[str]:
    """Texts that refer to images: ids with and without algorithm, short ids, tags, digests, and
    repositories."""
    for id, image in images.items():
        digits = id.rpartition(":")[2]
        yield from (id, digits, digits[:12])
        for name in names_of_image(image):
            yield name
            yield split_image(name)[0]


def words_of_name(text: str) -> Iterator[str]:
    """Texts that will refer to the image *text* once an engine has it."""
    familiar = shown_image(text)
    yield from (text, familiar, split_image(familiar)[0])
