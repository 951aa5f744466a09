"""What an image text names, and what an image may be called.

Engines print names short (``busybox:latest``); clients and other engines write the same image in
full (``docker.io/library/busybox:latest``).  No registry is asked here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

_Images = Mapping[str, Mapping[str, Any]]

_HUB = "docker.io"
_OFFICIAL = f"{_HUB}/library/"
_ID = re.compile(r"(sha256:)?[0-9a-f]{64}")
_ID_BEGINNING = re.compile(r"[0-9a-f]{3,64}")


class ImageHolder(Protocol):
    """Something with images: a node."""

    @property
    def images(self) -> _Images:
        """Image id -> its object in ``GET /images/json``."""
        ...


def split_image(text: str) -> tuple[str, str]:
    """The repository, and the rest with its separator: ``:tag``, ``@sha256:...`` or nothing.

    A tag before a digest stays with the repository's rest: ``a:1@sha256:2`` gives ``a`` and
    ``@sha256:2``, for the digest alone decides.
    """
    name, at, digest = text.partition("@")
    colon = name.rfind(":")
    tagged = colon > name.rfind("/")
    repository = name[:colon] if tagged else name
    if at:
        return repository, f"@{digest}"
    return repository, name[colon:] if tagged else ""


def normal_image(text: str) -> str:
    """One spelling for all names of an image: host, path, and a tag or digest; ids stay as is."""
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
    """A normal name as engines print it: Docker Hub's host and ``library/`` left out."""
    return text.removeprefix(_OFFICIAL).removeprefix(f"{_HUB}/")


def has_image(holder: ImageHolder, image: str) -> bool:
    """Whether *image* would be found there, by name, digest, id or the beginning of an id."""
    normal = normal_image(image)
    if normal in holder.images:
        return True
    spellings = {normal, familiar_image(normal)}
    if any(not spellings.isdisjoint(_names(stored)) for stored in holder.images.values()):
        return True
    digits = image.removeprefix("sha256:")
    return _ID_BEGINNING.fullmatch(digits) is not None and any(
        id.removeprefix("sha256:").startswith(digits) for id in holder.images
    )


def words_of_images(images: _Images) -> Iterator[str]:
    """What images may be called: ids, short ids, tags, digests, repositories."""
    for id, image in images.items():
        yield id
        yield id.partition(":")[2][:12] or id[:12]
        for name in _names(image):
            yield name
            yield split_image(name)[0]


def words_of_name(text: str) -> Iterator[str]:
    """What an image that a client named so may be called, once an engine has it."""
    familiar = familiar_image(normal_image(text))
    yield from (text, familiar, split_image(familiar)[0])


def _names(image: Mapping[str, Any]) -> list[str]:
    names = [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]
    return [name for name in names if not name.startswith("<none>")]
