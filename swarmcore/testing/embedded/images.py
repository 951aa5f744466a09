"""The images of an embedded engine, and the images that it can pull."""

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmcore.errors import Conflict, NotFound
from swarmcore.testing.documents.images import image_detail, image_id, image_summary, with_tag
from swarmcore.testing.documents.moments import NANO, timestamp

#: The default ``Config`` of an image.
_CONFIG: Mapping[str, Any] = {
    "Cmd": ["sh"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
}


@dataclass(slots=True, eq=False)
class ImageRecord:
    """An image.

    Attributes:
        id: ``sha256:...``.
        created: Unix nanoseconds.
        tags: ``busybox:latest``.
        digests: ``busybox@sha256:...``.
        config: command, environment and labels.
    """

    id: str
    created: int
    tags: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=lambda: _CONFIG)

    def summary(self, containers: int) -> dict[str, Any]:
        """Return its object in ``GET /images/json``."""
        return image_summary(
            self.id,
            self.tags,
            digests=self.digests,
            created=self.created // NANO,
            labels=self.config.get("Labels"),
            containers=containers,
        )

    def detail(self) -> dict[str, Any]:
        """Return the document of ``GET /images/{name}/json``."""
        moment = timestamp(self.created)
        return image_detail(self.summary(0), created=moment, config=self.config, tagged=moment)


class ImageStore:
    """Images by id, which can be found by all their names."""

    def __init__(self) -> None:
        self._images: dict[str, ImageRecord] = {}
        self._pullable: dict[str, str] = {}

    def __iter__(self) -> Iterator[ImageRecord]:
        return iter(self._images.values())

    def __len__(self) -> int:
        return len(self._images)

    def add(
        self, name: str, created: int, config: Mapping[str, Any] | None = None, digest: bool = False
    ) -> ImageRecord:
        """Add an image called *name*; an existing image of the same id gets the name.

        Args:
            name: the name with or without tag, or a digest.
            created: Unix nanoseconds.
            config: command, environment and labels.
            digest: whether it gets a digest, as after a pull.
        """
        id = name if name.startswith("sha256:") else image_id(name)
        image = self._images.setdefault(id, ImageRecord(id, created, config=config or _CONFIG))
        if "@" not in name and not name.startswith("sha256:"):
            self.tag(image, name)
        if digest or "@" in name:
            repository = name.partition("@")[0].removesuffix(_tag_of(name))
            image.digests = sorted({*image.digests, f"{repository}@{id}"})
        return image

    def tag(self, image: ImageRecord, name: str) -> str:
        """Give *image* a name, and remove that name from any other image."""
        full = with_tag(name)
        for other in self._images.values():
            if full in other.tags:
                other.tags.remove(full)
        image.tags = sorted([*image.tags, full])
        return full

    def find(self, name: str) -> ImageRecord:
        """Return an image by name, id or the beginning of an id.

        Raises:
            NotFound: there is no such image; the text is Docker's.
        """
        full = with_tag(name)
        short = name.removeprefix("sha256:")
        for image in self._images.values():
            if full in image.tags or full in image.digests or name == image.id:
                return image
        for image in self._images.values():
            if len(short) >= 4 and image.id.removeprefix("sha256:").startswith(short):
                return image
        raise NotFound(f"No such image: {full}")

    def remove(self, name: str, users: Iterable[str], *, force: bool) -> list[dict[str, str]]:
        """Remove a name, and the image with its last name; return Docker's list of both.

        Args:
            name: as for ``find``.
            users: ids of the containers that use the image.
            force: remove the image even if a container uses it.

        Raises:
            NotFound: there is no such image.
            Conflict: a container uses it, and *force* is not set.
        """
        image = self.find(name)
        full = with_tag(name)
        gone = [full] if full in image.tags else list(image.tags)
        last = len(gone) == len(image.tags)
        user = next(iter(users), None)
        if last and user is not None and not force:
            short = image.id.removeprefix("sha256:")[:12]
            raise Conflict(
                f'conflict: unable to remove repository reference "{name}" (must force) - '
                f"container {user[:12]} is using its referenced image {short}"
            )
        image.tags = [tag for tag in image.tags if tag not in gone]
        told = [{"Untagged": tag} for tag in gone]
        if last:
            told += [{"Untagged": digest} for digest in image.digests]
            told.append({"Deleted": image.id})
            del self._images[image.id]
        return told

    # ---- pulling

    def allow_pull(self, pattern: str, password: str = "") -> None:
        """Let images be pulled.

        Args:
            pattern: names with tag; ``*`` matches anything.
            password: the password that ``X-Registry-Auth`` must have; empty for public images.
        """
        self._pullable[pattern] = password

    def pull(self, name: str, created: int, password: str) -> ImageRecord:
        """Pull an image.

        Raises:
            NotFound: it cannot be pulled, or the password is wrong; Docker's text is the same.
        """
        full = with_tag(name)
        for pattern, wanted in self._pullable.items():
            if fnmatch.fnmatchcase(full, with_tag(pattern)) and wanted in ("", password):
                return self.add(full, created, digest=True)
        repository = full.partition("@")[0].removesuffix(_tag_of(full))
        raise NotFound(
            f"pull access denied for {repository}, repository does not exist or may require "
            "'docker login': denied: requested access to the resource is denied"
        )


def _tag_of(name: str) -> str:
    """Return the tag with its colon: ``:latest`` for ``busybox:latest``."""
    last = with_tag(name).rpartition("/")[2]
    return f":{last.partition(':')[2]}" if ":" in name.rpartition("/")[2] else ""
