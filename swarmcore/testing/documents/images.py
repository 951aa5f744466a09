"""An image's documents, and the full form of image names."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

#: The default size of an image in bytes: the size of busybox.
_SIZE = 1_985_575


def with_tag(name: str) -> str:
    """Add the default tag: ``busybox`` -> ``busybox:latest``; a tag, digest or id stays.

    The name of Docker's own registry is removed, as engines do: ``docker.io/library/busybox`` ->
    ``busybox:latest``.
    """
    name = name.removeprefix("docker.io/").removeprefix("library/")
    if "@" in name or name.startswith("sha256:"):
        return name
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def image_id(name: str) -> str:
    """Return the id of the image *name*, the same on every engine, as after a pull."""
    return "sha256:" + hashlib.sha256(with_tag(name).encode()).hexdigest()


def image_summary(
    id: str,
    tags: Sequence[str],
    *,
    digests: Sequence[str] = (),
    created: int = 0,
    size: int = _SIZE,
    labels: Mapping[str, str] | None = None,
    containers: int = 0,
) -> dict[str, Any]:
    """Return the image's object in ``GET /images/json``.

    Args:
        id: ``sha256:...``.
        tags: ``busybox:latest``.
        digests: ``busybox@sha256:...``.
        created: Unix seconds.
        size: bytes.
        labels: the image's labels.
        containers: the number of containers that use it.
    """
    return {
        "Containers": containers,
        "Created": created,
        "Id": id,
        "Labels": dict(labels) if labels else None,
        "ParentId": "",
        "RepoDigests": list(digests),
        "RepoTags": list(tags),
        "SharedSize": -1,
        "Size": size,
    }


def image_detail(
    summary: Mapping[str, Any], *, created: str, config: Mapping[str, Any], tagged: str
) -> dict[str, Any]:
    """Return the document of ``GET /images/{name}/json``.

    Args:
        summary: the result of ``image_summary``.
        created, tagged: RFC 3339.
        config: the image's command, environment and labels.
    """
    layer = "/var/lib/docker/overlay2/" + summary["Id"].removeprefix("sha256:")
    full = {"Entrypoint": None, "OnBuild": None, "User": "", "Volumes": None, "WorkingDir": ""}
    return {
        "Id": summary["Id"],
        "RepoTags": summary["RepoTags"],
        "RepoDigests": summary["RepoDigests"],
        "Parent": "",
        "Comment": "",
        "Created": created,
        "DockerVersion": "",
        "Author": "",
        "Architecture": "amd64",
        "Os": "linux",
        "Size": summary["Size"],
        "GraphDriver": {
            "Data": {
                "MergedDir": f"{layer}/merged",
                "UpperDir": f"{layer}/diff",
                "WorkDir": f"{layer}/work",
            },
            "Name": "overlay2",
        },
        "RootFS": {"Type": "layers", "Layers": [summary["Id"]]},
        "Metadata": {"LastTagTime": tagged},
        "Config": {"Cmd": None, "Env": None, "Labels": None, **full, **config},
    }
