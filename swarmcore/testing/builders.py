"""Build nodes, containers, configs and events in one line, with the values that a test needs.

    n1 = a_node("n1", memory=2 * GiB, containers=[a_container("web", ports=["8080:80"])])
    config = a_config("busybox", env=["constraint:zone==b"], memory=512 * MiB)

Every other value has a plain default: nodes are healthy and empty, containers run.  The objects
contain the documents that a real engine would send, so that code which reads documents works, too.
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

#: The default time of everything that is built: 2020-01-01, in Unix seconds.
LONG_AGO = 1_577_836_800


def an_id(text: str) -> str:
    """Return 64 hex digits made from *text*, always the same, so that failures can be compared."""
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
    """Build a node as the scheduler sees it.

    Args:
        name: the engine's host name; id and address are made from it.
        cpus: the whole CPUs of the machine.
        memory: the memory of the machine in bytes.
        overcommit: the fraction that is added to both.  The manager's default is 0.05; here it is
            0.
        labels: the engine's labels.
        containers: containers from ``a_container``, or names of plain running ones.  They become
            containers of this node.
        reservations: reservations from ``a_reservation``.  They become reservations of this node.
        images: names of the images on the node.
        networks, volumes: names of its volumes, and of its networks besides ``bridge``, ``host``
            and ``none``.
        state: the state of the node.
        failures: the number of consecutive connection failures.
        drained: the reason why the node is drained; ``None`` if it is not.
        address: ``host:port``; by default, an address in the test network 192.0.2.0/24.
        api_version: the newest API version of the engine.
        spanning: the objects that span the engines of its cluster; give the same object to all
            nodes of one cluster.
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
    """Build a container as an engine reported it.

    Args:
        name: the name without slash.
        node: the node that gets the container.  Without a node, give the container to ``a_node``.
        image: the image as the client named it.
        command: the command that it runs.
        labels: the container's labels.
        ports: ``8080:80``, ``127.0.0.1:8080:80/udp``, or ``8080`` for the same port on both sides.
        cpus: the CPUs that it claims; may be a fraction.
        memory: the memory that it claims, in bytes.
        state: created, running, paused, restarting, exited or dead.
        exit_code: the exit code of a container that has ended.
        created: Unix seconds.
        links: aliases in other containers: ``web/db``.
        body: more fields of its create body: ``{"HostConfig": {"NetworkMode": "host"}}``.
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
    """Build the config of a create, read from a body as the manager reads it.

    Args:
        image: the image as the client named it.
        name: the name without slash; empty if the client gave none.
        command: the command to run.
        env: environment variables.  ``constraint:zone==b`` and the like are scheduling expressions,
            as in a real create.
        labels: the container's labels.
        ports: as in ``a_container``.
        cpus: the CPUs that it claims; may be a fraction.
        memory: the memory that it claims, in bytes.
        platform: the query parameter ``platform``.
        body: more fields of the body.  They override the other arguments; ``HostConfig`` is merged
            key by key.
        version: the API version in the client's path.
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
    """Build a reservation: a placed container that its engine does not show yet.

    The arguments are those of ``a_container``.  *expires* is in seconds of the monotonic clock.
    """
    claim = Claim(round(cpus * NANO), memory, tuple(_port(port)[1] for port in ports))
    return Reservation(
        an_id(name), name, "", image, claim, dict(labels or {}), expires, tuple(volumes)
    )


def a_decision(scheduler: Scheduler, config: ContainerConfig, nodes: Iterable[Node]) -> Decision:
    """Return the decision that places a container.

    Args:
        scheduler: the scheduler.
        config: the config of the container.
        nodes: the nodes to choose from.

    Raises:
        NoNodeFits: no node fits.
        BadRequest: an expression in *config* is malformed.
        PlacementFailed: a plugin failed.
    """
    decision = scheduler.decide(config, nodes)
    if decision.error is not None:
        raise decision.error
    return decision


def an_entry(address: str = "192.0.2.1:2375", **labels: str) -> Entry:
    """Build an engine as discovery reports it; keyword arguments become labels."""
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
    """Build an event of an engine.

    Args:
        action: the action with its suffix: ``exec_create: sh``.
        kind: container, image, network, volume, daemon or swarm.
        actor_id: the object's id; by default, the id of ``a_container("web")``.
        attributes: attributes of the actor, besides those of the node.
        node: the node of the engine.
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
    """Build the head of a request, as a handler gets it.

    Args:
        method: the method in upper case.
        target: path and query, as in the request line.
        headers: the headers.
        client: the client; by default, a client on loopback.
        params: the values of the placeholders in the route's template.
    """
    path, _, query = target.partition("?")
    version, rest = split_version(path)
    client = client or Client("127.0.0.1")
    return Request(method, target, rest, Query.parse(query), version, headers, client, params)


# ---- helpers of the builders


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
    """Parse ``[ip:]host[:container][/protocol]``: the container's port (``80/tcp``), the host's."""
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
    """Return the body of a create."""
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
