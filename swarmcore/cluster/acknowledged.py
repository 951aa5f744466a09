"""Containers that an engine says it made or renamed, and could not be asked about after that.

The client has the engine's word.  Until the engine can be read again, what is known of a container
is what was asked for.  Pure.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from swarmcore.config import ContainerConfig
from swarmcore.engine.cache import read_container
from swarmcore.images import named_ids
from swarmcore.model import Container
from swarmcore.node import Node

#: Of a create's body what is no part of ``Config``.
_APART = ("HostConfig", "NetworkingConfig")


def created_container(id: str, config: ContainerConfig, node: Node, now: float) -> Container:
    """The container of a create that *node*'s engine answered with 201.

    Args:
        id: from the answer.
        config: what was asked for, with its name.
        node: where.
        now: Unix seconds.
    """
    body = config.body_for(node)
    host_config: Mapping[str, Any] = body.get("HostConfig") or {}
    image_id = next(iter(named_ids(node.images, config.image)), "")
    mode = host_config.get("NetworkMode") or "default"
    summary = {
        "Id": id,
        "Names": [f"/{config.name}"],
        "Image": config.image,
        "ImageID": image_id,
        "Command": "",
        "Created": int(now),
        "Ports": [],
        "Labels": dict(config.labels),
        "State": "created",
        "Status": "Created",
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }
    detail = {
        "Id": id,
        "Created": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
        "Name": f"/{config.name}",
        "Image": image_id,
        "State": {"Status": "created", "Running": False, "ExitCode": 0},
        "Config": {key: value for key, value in body.items() if key not in _APART},
        "HostConfig": host_config,
        "Mounts": [],
        "NetworkSettings": {"Ports": {}, "Networks": {}},
    }
    return read_container(
        summary, detail, node.id, node.cpus, cpu_shares_are_cpus=node.cpu_shares_are_cpus
    )


def renamed_container(container: Container, name: str) -> Container:
    """*container* under another name of its own; aliases of links stay."""
    names = (name, *container.names[1:])
    return replace(
        container,
        names=names,
        summary={**container.summary, "Names": [f"/{each}" for each in names]},
        detail={**container.detail, "Name": f"/{name}"},
    )
