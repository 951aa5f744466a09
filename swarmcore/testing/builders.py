"""Builders: a node, a container, a config, an event in one line, with what a test cares about.

    n1 = a_node("n1", memory=2 * GiB, containers=[a_container("web", ports=["8080:80"])])
    config = a_config("busybox", env=["constraint:zone==b"], memory=512 * MiB)

What is not said has a value that fits: nodes are healthy and empty, containers run.  The objects
carry the documents that a real engine would have sent, so that code which reads those works too.
Part of the public test kit.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from swarmcore.addresses import parse_address
from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.resources import read_devices
from swarmcore.http.messages import Client, Headers, Query, Request
from swarmcore.model import NANO, Claim, Container, Drain, Entry, Event, GiB, HostPort, State
from swarmcore.node import Node, Reservation, Spanning
from swarmcore.protocols import Decision
from swarmcore.scheduler import Scheduler
from swarmcore.testing.documents import containers as documents
from swarmcore.testing.documents.images import image_id, image_summary, with_tag
from swarmcore.testing.documents.moments import timestamp
from swarmcore.testing.documents.networks import network_document
from swarmcore.versions import CEILING, FLOOR, ApiVersion, split_version

#: When everything happened that a test does not date: 2020-01-01, in Unix seconds.
LONG_AGO = 1_577_836_800


def an_id(text: str) -> str:
    """64 hex digits made of *text*: the same each time, so that failures can be read."""
    return hashlib.sha256(text.encode()).hexdigest()


def a_node(
    name: str = "n1",
    *,
    cpus: int = 4,
    memory: int = 8 * GiB,
    overcommit: float = 0.0,
    labels: Mapping[str, str] | None = None,
    containers: Iterable[Container | str] = (),
    reservations: Iterable[Reservation] = (),
    images: Iterable[str] = ("busybox",),
    networks: Iterable[str] = (),
    volumes: Iterable[str] = (),
    state: State = State.HEALTHY,
    failures: int = 0,
    drained: str | None = None,
    address: str = "",
    api_version: ApiVersion = CEILING,
    spanning: Spanning | None = None,
) -> Node:
    """A node as the scheduler sees it.

    Args:
        name: the engine's host name; its id and its address come of it.
        cpus: whole CPUs of the machine.
        memory: bytes of the machine.
        overcommit: fraction added to both; the manager's default is 0.05, here none.
        labels: of the engine.
        containers: from ``a_container``, or names of plain running ones; they become this node's.
        reservations: from ``a_reservation``; they become this node's.
        images: names that it has.
        networks, volumes: names that it has besides ``bridge``, ``host`` and ``none``.
        state: what the engine is to us.
        failures: connection failures in a row.
        drained: why it takes no containers.
        address: ``host:port``; one of the test network 192.0.2.0/24 when left out.
        api_version: the newest that it speaks.
        spanning: what spans the engines of its cluster; given to several nodes, they are of one.
    """
    host = 1 + int(an_id(name)[:8], 16) % 254
    address = address or f"192.0.2.{host}:2375"
    id = f"{an_id(name)[:12]}|{address}"
    node = Node(id, address, overcommit=overcommit, spanning=spanning)
    node.name, node.ip = name, address.rpartition(":")[0]
    node.state, node.failures = state, failures
    node.drained = None if drained is None else Drain(drained)
    node.cpus, node.memory, node.labels = cpus, memory, dict(labels or {})
    node.version, node.api_version, node.min_api_version = "28.5.2", api_version, FLOOR
    node.info = {"ID": an_id(name)[:12], "Name": name, "NCPU": cpus, "MemTotal": memory}
    node.images = {image_id(image): _image(image) for image in images}
    made = [_network(name, network) for network in ("bridge", "host", "none", *networks)]
    node.networks = {network["Id"]: network for network in made}
    node.volumes = {volume: {"Name": volume, "Driver": "local"} for volume in volumes}
    for container in containers:
        built = a_container(container) if isinstance(container, str) else container
        node.put_container(replace(built, node_id=node.id))
    for reservation in reservations:
        node.reserve(replace(reservation, node_id=node.id))
    return node


def a_container(
    name: str = "web",
    *,
    node: Node | None = None,
    image: str = "busybox",
    command: Sequence[str] = ("sleep", "1000"),
    labels: Mapping[str, str] | None = None,
    ports: Iterable[str | HostPort] = (),
    cpus: float = 0,
    memory: int = 0,
    state: str = "running",
    exit_code: int = 0,
    created: float = LONG_AGO,
    links: Iterable[str] = (),
    body: Mapping[str, Any] | None = None,
) -> Container:
    """A container as an engine told us of it.

    Args:
        name: without slash.
        node: the node that gets it; without one it belongs to nobody yet: see ``a_node``.
        image: as the client named it.
        command: what it runs.
        labels: the container's.
        ports: ``8080:80``, ``127.0.0.1:8080:80/udp``, ``8080`` (host's and container's alike).
        cpus: claimed; may be a fraction.
        memory: bytes claimed.
        state: created, running, paused, restarting, exited or dead.
        exit_code: for one that ended.
        created: Unix seconds.
        links: aliases in other containers: ``web/db``.
        body: more of its create body: ``{"HostConfig": {"NetworkMode": "host"}}``.
    """
    id = an_id(f"container {name}")
    published = [_port(port) for port in ports]
    asked = _body(image, command, labels, published, cpus, memory, body)
    devices = read_devices(asked["HostConfig"])
    claim = Claim(
        round(cpus * NANO),
        memory,
        tuple(port for _, port in published),
        devices.gpus,
        devices.gpu_ids,
    )
    running = state in ("running", "paused", "restarting")
    detail = documents.container_detail(
        id=id,
        name=name,
        created=timestamp(round(created * NANO)),
        image_id=image_id(image),
        config=documents.full_config(asked, id, {}),
        host_config=documents.full_host_config(asked),
        state=documents.container_state(state, pid=4242 if running else 0, exit_code=exit_code),
        settings=documents.network_settings(
            {"bridge": documents.endpoint()}, _published(published) if running else {}
        ),
    )
    summary = documents.container_summary(
        detail,
        created=int(created),
        status=documents.status_text(detail["State"], 60, 60),
        names=[f"/{alias}" for alias in links],
    )
    container = Container(
        id=id,
        node_id=node.id if node else "",
        names=(name, *links),
        image=image,
        image_id=image_id(image),
        created=created,
        state=state,
        labels=dict(labels or {}),
        claim=claim,
        summary=summary,
        detail=detail,
    )
    if node is not None:
        node.put_container(container)
    return container


def a_config(
    image: str = "busybox",
    *,
    name: str = "",
    command: Sequence[str] = (),
    env: Iterable[str] = (),
    labels: Mapping[str, str] | None = None,
    ports: Iterable[str | HostPort] = (),
    cpus: float = 0,
    memory: int = 0,
    platform: str = "",
    body: Mapping[str, Any] | None = None,
    version: ApiVersion = CEILING,
) -> ContainerConfig:
    """What a client asked to create, read as the manager reads it.

    Args:
        image: as the client named it.
        name: without slash; empty when the client left it to the manager.
        command: what to run.
        env: variables; ``constraint:zone==b`` and its like are expressions, as in a real create.
        labels: of the container.
        ports: as in ``a_container``.
        cpus: claimed; may be a fraction.
        memory: bytes claimed.
        platform: the ``platform`` query parameter.
        body: more of the body; merged over the rest, ``HostConfig`` key by key.
        version: of the path that the client uses.
    """
    published = [_port(port) for port in ports]
    asked = _body(image, command, labels, published, cpus, memory, body)
    asked["Env"] = [*env, *(asked.get("Env") or ())]
    return ContainerConfig.parse(asked, name=name, platform=platform, version=version)


def a_reservation(
    name: str = "web",
    *,
    image: str = "busybox",
    labels: Mapping[str, str] | None = None,
    ports: Iterable[str | HostPort] = (),
    cpus: float = 0,
    memory: int = 0,
    volumes: Iterable[str] = (),
    expires: float = float("inf"),
) -> Reservation:
    """A placement that its engine does not show yet; arguments as in ``a_container``."""
    claim = Claim(round(cpus * NANO), memory, tuple(_port(port)[1] for port in ports))
    return Reservation(
        an_id(name), name, "", image, claim, dict(labels or {}), expires, tuple(volumes)
    )


def a_decision(scheduler: Scheduler, config: ContainerConfig, nodes: Iterable[Node]) -> Decision:
    """The decision that places a container.

    Args:
        scheduler: decides.
        config: what is to run.
        nodes: those that may be chosen.

    Raises:
        NoNodeFits: no node may take it.
        BadRequest: an expression in *config* is malformed.
        PlacementFailed: a plugin broke.
    """
    decision = scheduler.decide(config, nodes)
    if decision.error is not None:
        raise decision.error
    return decision


def an_entry(address: str = "192.0.2.1:2375", **labels: str) -> Entry:
    """One engine as discovery announces it; keywords become labels."""
    return Entry(parse_address(address), labels)


def an_event(
    action: str = "start",
    *,
    kind: str = "container",
    actor_id: str = "",
    attributes: Mapping[str, str] | None = None,
    node: Node | None = None,
    time: float = LONG_AGO,
) -> Event:
    """Something that an engine says happened.

    Args:
        action: with its suffix: ``exec_create: sh``.
        kind: container, image, network, volume, daemon, or swarm.
        actor_id: the object's id; that of ``a_container("web")`` when left out.
        attributes: the actor's, besides the node's.
        node: whose it is.
        time: Unix seconds.
    """
    actor_id = actor_id or an_id("container web")
    where = _node_attributes(node) if node else {}
    told = {**(attributes or {}), **where}
    time_nano = round(time * NANO)
    raw = {
        "status": action,
        "id": actor_id,
        "Type": kind,
        "Action": action,
        "Actor": {"ID": actor_id, "Attributes": told},
        "scope": "local",
        "time": time_nano // NANO,
        "timeNano": time_nano,
    }
    return Event(kind, action, actor_id, told, time_nano, node.id if node else "", raw)


def a_request(
    method: str = "GET",
    target: str = "/v1.41/containers/json",
    *,
    headers: Headers = (),
    client: Client | None = None,
    **params: str,
) -> Request:
    """A request's head, as a handler gets it.

    Args:
        method: upper case.
        target: path and query as they stand in the request line.
        headers: as they came.
        client: who asks; somebody on loopback when left out.
        params: what the route's template captured.
    """
    path, _, query = target.partition("?")
    version, rest = split_version(path)
    client = client or Client("127.0.0.1")
    return Request(method, target, rest, Query.parse(query), version, headers, client, params)


# ---- what the builders share


def _image(name: str) -> Mapping[str, Any]:
    return image_summary(image_id(name), [with_tag(name)], created=LONG_AGO)


def _network(node_name: str, name: str) -> Mapping[str, Any]:
    driver = {"host": "host", "none": "null"}.get(name, "bridge")
    id = an_id(f"network {name} of {node_name}")
    return network_document(id, name, created=timestamp(LONG_AGO * NANO), driver=driver)


def _node_attributes(node: Node) -> Mapping[str, str]:
    return {
        "node.name": node.name,
        "node.id": node.id,
        "node.addr": node.address,
        "node.ip": node.ip,
    }


def _port(text: str | HostPort) -> tuple[str, HostPort]:
    """The container's side (``80/tcp``) and the host's of ``[ip:]host[:container][/protocol]``."""
    if isinstance(text, HostPort):
        return f"{text.first}/{text.protocol}", text
    ports, _, protocol = text.partition("/")
    host, _, inner = ports.rpartition(":")
    ip, _, outer = host.rpartition(":")
    first, _, last = (outer or inner).partition("-")
    held = HostPort(int(first), int(last or first), protocol or "tcp", ip)
    return f"{inner.partition('-')[0]}/{held.protocol}", held


def _published(ports: Iterable[tuple[str, HostPort]]) -> dict[str, list[dict[str, str]]]:
    return {
        inner: [{"HostIp": port.ip or "0.0.0.0", "HostPort": str(port.first)}]
        for inner, port in ports
    }


def _body(
    image: str,
    command: Sequence[str],
    labels: Mapping[str, str] | None,
    ports: Sequence[tuple[str, HostPort]],
    cpus: float,
    memory: int,
    more: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A create body."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for inner, port in ports:
        numbers = f"{port.first}" if port.first == port.last else f"{port.first}-{port.last}"
        bindings.setdefault(inner, []).append({"HostIp": port.ip, "HostPort": numbers})
    more = more or {}
    host_config = {
        "NanoCpus": round(cpus * NANO),
        "Memory": memory,
        "PortBindings": bindings,
        **(more.get("HostConfig") or {}),
    }
    return {
        "Image": image,
        "Cmd": list(command),
        "Labels": dict(labels or {}),
        "ExposedPorts": {inner: {} for inner in bindings},
        **more,
        "HostConfig": host_config,
    }
