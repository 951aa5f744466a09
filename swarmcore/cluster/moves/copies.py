"""The copy of a container that a move creates.  Pure.

Engines are the only storage, so labels of the copy tell which containers it replaces and whether it
has to be started.  Any manager can read them, after a restart or a failover.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from swarmcore.container_config import SWARM_ID, ContainerConfig
from swarmcore.errors import BadRequest
from swarmcore.http.messages import Query, Request
from swarmcore.json_values import as_object, as_text, as_texts
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.protocols import move_client
from swarmcore.versions import CEILING

#: Label of a copy: the ids of the containers that it replaces, the latest first, with commas.
MOVED_FROM: Final = "com.docker.swarm.moved-from"
#: Label of a copy: ``1`` if its original was running, so that the copy has to be started.
WAS_RUNNING: Final = "com.docker.swarm.moved-running"

#: How many former ids a copy lists.  An engine that returns after more moves is not recognised.
_FORMER = 32
_ID = re.compile(r"[0-9a-f]{64}")
#: Modes of the network in which a container has no endpoints of its own.
_NO_ENDPOINTS = re.compile(r"host|none|container:.*")
#: What a user can set of an endpoint; the engine fills in the other fields.
_ENDPOINT_FIELDS = ("IPAMConfig", "Links", "Aliases", "DriverOpts", "GwPriority")


def copy_config(original: Container, node: Node) -> ContainerConfig:
    """The configuration of a copy of *original*, which is on *node*: same name, image, labels and
    networks.

    A host name that the engine derived from the container's id is left out, and so are addresses
    that the engine chose.

    Raises:
        BadRequest: the engine described *original* in a way that no create accepts.
    """
    detail = original.detail
    config = dict(as_object(detail.get("Config")))
    if config.get("Hostname") == original.id[:12]:
        del config["Hostname"]
    if not config.get("MacAddress"):
        config.pop("MacAddress", None)
    labels = {**original.labels, MOVED_FROM: ",".join(_ids_of(original))}
    labels.setdefault(SWARM_ID, original.id)  # clients find the copy by the original's id
    labels.pop(WAS_RUNNING, None)
    if has_to_run(original):
        labels[WAS_RUNNING] = "1"
    host_config = dict(as_object(detail.get("HostConfig")))
    body = {**config, "Labels": labels, "HostConfig": host_config}
    if endpoints := _endpoints(original, as_text(host_config.get("NetworkMode"))):
        body["NetworkingConfig"] = {"EndpointsConfig": endpoints}
    try:
        read = ContainerConfig.parse(body, name=original.name, lenient=True)
    except BadRequest as error:
        raise BadRequest(f"container {original.called} cannot be copied: {error}") from error
    return read.as_copy_of(original, node)


def request_of(original: Container) -> Request:
    """The request that stands for a move: its client is the container, for pulls of its image."""
    return Request(
        method="POST",
        target="/containers/create",
        path="/containers/create",
        query=Query(),
        version=CEILING,
        headers=(),
        client=move_client(original),
    )


def replaced_by(copy: Container) -> tuple[str, ...]:
    """The ids of the containers that *copy* replaces, the latest first."""
    return former_ids(copy.labels)


def former_ids(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The ids in the label of a copy, the latest first."""
    label = labels.get(MOVED_FROM)
    return tuple(id for id in label.split(",") if _ID.fullmatch(id)) if label else ()


def has_to_run(original: Container) -> bool:
    """Whether a copy of *original* has to be started: it ran, or its own move did not start it."""
    return original.running or awaits_first_start(original)


def awaits_first_start(copy: Container) -> bool:
    """Whether the move that made *copy* has still to start it.

    A start may have failed because the manager died while it waited: engines give up the start of a
    client that has gone, and keep the error ``context canceled``.
    """
    return copy.labels.get(WAS_RUNNING) == "1" and copy.state == "created"


def same_container(original: Container, copy: Container) -> bool:
    """Whether both have the same name or swarm id, so that a label of *copy* may name *original*.

    A label alone is no proof: an image that is committed from a container inherits its labels.
    """
    is_same = bool(original.swarm_id) and original.swarm_id == copy.swarm_id
    return is_same or (bool(original.name) and original.name == copy.name)


def _ids_of(original: Container) -> Iterable[str]:
    return (original.id, *replaced_by(original))[:_FORMER]


def _endpoints(original: Container, mode: str) -> dict[str, Any]:
    """The endpoints for the create of a copy, without what the engine chose."""
    if _NO_ENDPOINTS.fullmatch(mode):
        return {}
    settings = as_object(original.detail.get("NetworkSettings"))
    found = {
        network: _endpoint(as_object(endpoint), original)
        for network, endpoint in as_object(settings.get("Networks")).items()
    }
    # Engines connect a container to the default network by the mode alone.
    return {name: each for name, each in found.items() if each or name not in ("bridge", "default")}


def _endpoint(endpoint: Mapping[str, Any], original: Container) -> dict[str, Any]:
    kept = {key: endpoint[key] for key in _ENDPOINT_FIELDS if endpoint.get(key)}
    aliases = [each for each in as_texts(kept.get("Aliases")) if each != original.id[:12]]
    kept.pop("Aliases", None)
    return {**kept, "Aliases": aliases} if aliases else kept
