"""Asks one engine to create one container, and interprets the answer.

If no answer arrives, the engine is asked whether the container exists.  Other engines, names and
reservations are handled in ``create``.
"""

import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any
from urllib.parse import quote, urlencode

import trio

from swarmcore import clock
from swarmcore.cluster.placement.reservations import UNSEEN_SECONDS
from swarmcore.container_config import SWARM_ID, ContainerConfig
from swarmcore.container_config.engine_body import divide_endpoints
from swarmcore.container_config.references import without_node
from swarmcore.container_config.version_gates import PLATFORM
from swarmcore.engine import Engine
from swarmcore.engine.cache.documents import read_container
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json, error_answer, json_answer
from swarmcore.images import named_ids
from swarmcore.json_values import UNREADABLE, reading_answer
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

#: How long to ask for the outcome of a create whose connection broke.
_OUTCOME_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 0.5
_MISSING_IMAGE = re.compile("no such image|image with reference", re.IGNORECASE)
#: Engine messages of failures that need not occur on another node.
_NODE_FAULT = re.compile(
    "port is already allocated|address already in use|no space left on device"
    "|device or resource busy|input/output error|read-only file system|cannot allocate memory",
    re.IGNORECASE,
)


class EngineSlots:
    """Limits the creates and starts that one engine runs at the same time; others wait in order.

    Args:
        limit: the maximum per engine; 0 for no limit.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._semaphores: dict[str, trio.Semaphore] = {}

    async def acquire(self, node_id: str) -> None:
        """Wait for a slot of the node's engine; the caller must release it."""
        if self._limit:
            new = trio.Semaphore(self._limit, max_value=self._limit)
            await self._semaphores.setdefault(node_id, new).acquire()

    def release(self, node_id: str) -> None:
        """Release a slot."""
        if self._limit:
            semaphore = self._semaphores[node_id]
            semaphore.release()
            if semaphore.value == self._limit:
                del self._semaphores[node_id]

    @asynccontextmanager
    async def slot(self, node_id: str) -> AsyncIterator[None]:
        """Hold a slot of the node's engine while the block runs."""
        await self.acquire(node_id)
        try:
            yield
        finally:
            self.release(node_id)


class Meaning(Enum):
    """The outcome that an engine's answer to a create stands for."""

    CREATED = auto()
    MISSING_IMAGE = auto()
    NODE_FAULT = auto()
    USER_FAULT = auto()


def read_meaning(answer: Answer) -> Meaning:
    """Interpret an engine's answer to a create.

    Another node may succeed only after ``NODE_FAULT``, or ``MISSING_IMAGE`` if it has the image.
    """
    if answer.status == 201:
        return Meaning.CREATED
    if answer.status == 404 and _MISSING_IMAGE.search(answer.message):
        return Meaning.MISSING_IMAGE
    if answer.status >= 500 and _NODE_FAULT.search(answer.message):
        return Meaning.NODE_FAULT
    return Meaning.USER_FAULT


async def ask_to_create(
    engine: Engine, config: ContainerConfig, version: ApiVersion, permit: Callable[[], None]
) -> Answer:
    """Ask *engine* to create a container and to connect it to all its networks.

    Args:
        engine: the engine of the chosen node.
        config: the completed configuration, with name and swarm id.
        version: the client's API version.
        permit: called just before the request is sent; its exceptions are passed on.

    Returns:
        The engine's answer to the create, or its refusal of a network that had to be connected
        separately.

    Raises:
        EngineUnreachable: no container was created; if ``sent`` is true, the outcome is unknown.
    """
    node = engine.node
    query = {"name": config.name}
    if config.platform and node.api_version >= PLATFORM.since:
        query["platform"] = config.platform
    body, later = divide_endpoints(config.body_for(node), node, version)
    path = f"/containers/create?{urlencode(query)}"
    try:
        answer = await engine.call(
            "POST", path, body=dump_json(body), headers=JSON_HEADERS, version=version, permit=permit
        )
    except EngineUnreachable as error:
        if not error.sent:
            raise
        answer = await _find_outcome(engine, config, error)
    if later and answer.status == 201:
        return await _connect(engine, config, answer, later) or answer
    return answer


async def _find_outcome(
    engine: Engine, config: ContainerConfig, broken: EngineUnreachable
) -> Answer:
    """Look for the container of a create whose answer was lost.

    Returns:
        The answer that the engine would have given.

    Raises:
        EngineUnreachable: there is no container; if ``sent`` is true, the outcome is unknown.
    """
    filters = json.dumps({"label": [f"{SWARM_ID}={config.swarm_id}"]})
    path = f"/containers/json?all=1&filters={quote(filters)}"
    absent = 0
    with trio.move_on_after(_OUTCOME_SECONDS):
        while absent < 2:  # ask twice, as the engine may still be creating it
            await trio.sleep(_ASK_AGAIN_SECONDS)
            try:
                answer = await engine.call("GET", path)
            except EngineUnreachable:
                continue
            with reading_answer(engine.label, "GET /containers/json"):
                found = answer.json() if answer.ok else []
                id = str(found[0]["Id"]) if found else ""
            if id:
                return json_answer({"Id": id, "Warnings": []}, 201)
            absent += answer.ok
        if shown := _shown(engine, config.swarm_id):  # an event may have come after the last list
            return json_answer({"Id": shown, "Warnings": []}, 201)
        raise EngineUnreachable(engine.label, str(broken), sent=False)
    raise EngineUnreachable(
        engine.label,
        f"engine {engine.label} stopped answering while it created container"
        f" {config.name}: whether it exists is unknown, and the name stays taken until the engine"
        f" is back and {UNSEEN_SECONDS:g} s longer; look with docker ps -a then",
        sent=True,
    )


def _shown(engine: Engine, swarm_id: str) -> str | None:
    """The id of the container with *swarm_id* in *engine*'s cache."""
    containers = engine.node.containers.values()
    return next((each.id for each in containers if each.swarm_id == swarm_id), None)


async def _connect(
    engine: Engine, config: ContainerConfig, created: Answer, endpoints: Mapping[str, Any]
) -> Answer | None:
    """Connect a new container to further networks; remove the container if that is refused.

    Returns:
        The engine's refusal; ``None`` if there was none.

    Raises:
        EngineUnreachable: the engine was lost meanwhile; ``sent`` as the container may remain.
    """
    with reading_answer(engine.label, "POST /containers/create"):
        id = str(created.json()["Id"])
    try:
        for network, endpoint in endpoints.items():
            path = f"/networks/{quote(network, safe='')}/connect"
            body = dump_json({"Container": id, "EndpointConfig": endpoint})
            answer = await engine.call("POST", path, body=body, headers=JSON_HEADERS)
            if not answer.ok:
                left = await _remove(engine, id)
                # Clients take a 404 of a create for a missing image, and would pull.
                status = 400 if answer.status == 404 else answer.status
                return error_answer(status, answer.message + left)
    except EngineUnreachable as error:
        raise EngineUnreachable(
            engine.label,
            f"engine {engine.label} stopped answering while it connected container {config.name}"
            f" to its networks: remove it with docker rm when the engine is back ({error})",
            sent=True,
        ) from error
    return None


async def _remove(engine: Engine, id: str) -> str:
    """Remove a container; return a text for the user if that fails, else an empty one."""
    answer = await engine.call("DELETE", f"/containers/{id}?force=1&v=1")
    if answer.ok or answer.status == 404:
        engine.forget_container(id)
        return ""
    return f"; container {id[:12]} is left on {engine.label}: {answer.message}"


# ---- the new container


async def settle(
    engine: Engine, config: ContainerConfig, version: ApiVersion, answer: Answer
) -> bool:
    """Make the cache show a new container before the client gets the answer.

    Args:
        engine: the engine, which answered 201.
        config: the container's configuration.
        version: the client's API version.
        answer: the engine's answer.

    Returns:
        ``False`` if the answer has no container id.
    """
    node = engine.node
    try:
        id = str(answer.json()["Id"])
    except UNREADABLE as error:
        log.warning("engine %s created %s, reading it failed: %r", node.name, config.name, error)
        return False
    named = [without_node(name, node) for name in config.volumes]
    later = divide_endpoints(config.body_for(node), node, version)[1]
    try:
        await engine.settle_created(id, named, is_complete=not later)
        if config.links:
            await engine.refresh_containers()  # linked containers get an additional name
    except EngineError as error:
        log.warning("engine %s created %s, reading it failed: %s", node.name, config.name, error)
        if id not in node.containers:
            engine.acknowledge(created_container(id, config, node, clock.unix_seconds()))
    return True


#: Fields of a create's body that are not part of ``Config``.
_APART = ("HostConfig", "NetworkingConfig")


def created_container(id: str, config: ContainerConfig, node: Node, now: float) -> Container:
    """Build a cache entry for a container that the engine has created but that cannot be read.

    It contains what the create asked for, and is replaced as soon as the engine can be read.

    Args:
        id: the container id in the engine's answer.
        config: the configuration, with the container's name.
        node: the engine's node.
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
