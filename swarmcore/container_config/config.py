"""The configuration of a container that a client asks to create.

Placement reads some fields: ``resources`` the claims, ``scheduling_labels`` the expressions,
``references`` the names of other objects.  All other fields are passed to the engine unchanged.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from swarmcore.container_config.engine_body import endpoints_without_prefixes, without_prefixes
from swarmcore.container_config.normalize import with_docker_spelling
from swarmcore.container_config.published_ports import bound_to
from swarmcore.container_config.references import (
    find_left_networks,
    find_loose,
    joined_containers,
    mounted_images,
    named_networks,
    named_volumes,
    volume_plugins,
    without_node,
)
from swarmcore.container_config.replacement import Replacement
from swarmcore.container_config.resources import (
    SHARES,
    claim_of_body,
    count,
    read_devices,
    with_named_gpus,
)
from swarmcore.container_config.scheduling_labels import take_instructions
from swarmcore.container_config.version_gates import Need, needs_of_create
from swarmcore.errors import BadRequest
from swarmcore.expressions import is_pattern, is_searched
from swarmcore.json_values import as_list, as_object, as_text, as_texts
from swarmcore.model import NANO, Claim, Container
from swarmcore.node import Node, Thing
from swarmcore.request_limits import (
    EXPRESSION_PATTERNS,
    EXPRESSIONS,
    MOUNTS,
    REFERENCES,
    check_count,
    check_labels,
)
from swarmcore.versions import ApiVersion

#: The label that identifies a container even after it has been recreated.
SWARM_ID = "com.docker.swarm.id"

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", re.ASCII)
_POLICIES = ("off", "on-node-failure")


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """The body of ``POST /containers/create``, as placement reads it.

    Attributes:
        name: without slash; empty if the client gave none.
        body: the body for engines, before it is converted for one engine: scheduling expressions
            are moved from ``Env`` to labels, unknown fields are unchanged.
        image: as the client named it.
        labels: the body's labels, including scheduling labels.
        constraints, affinities, whitelists: expressions, those from labels first.
        claim: CPUs, memory, host ports and GPUs.
        platform: the ``platform`` query parameter, or empty.
        swarm_id: label ``com.docker.swarm.id``.
        network_mode: ``HostConfig.NetworkMode``.
        exposed_ports: keys of ``ExposedPorts``, such as ``80/tcp``.
        volumes_from, links: names of other containers, without options.
        joined: containers whose network, IPC or PID namespace is joined.
        networks: user-defined networks that the container is created with.
        volumes: volumes that are mounted by name.
        copies: id of the container that is moved, whose name and swarm id this one may take.
        left: the node that the moved container leaves; ``None`` if nothing is moved.
        replaces: ids of the containers that it replaces; their resources count as free.
        held_volumes: volumes whose nodes the container must go to, as they may have content.
        loose: unused networks and volumes, with the node of each; they follow the container.
        volume_plugins: name of a volume -> the volume plugin given for it.
        slashed_volumes: volume names with a slash that does not follow the name of a node.
        known_nodes: all nodes of the cluster, so that an object on none of them does not exist;
            empty if some engine has not been read yet.
        mounted_images: images that are mounted.
        devices: CDI devices, including GPUs: ``vendor.com/class=name``.
        cpu_shares_are_cpus: whether ``CpuShares`` is a number of CPUs, as in Swarm classic.
        needs: fields that older engines would ignore.
        manager_ip: the IP address by which the client reached the manager.  A port bound to it is
            bound to the node's address instead.
        is_searched: whether an expression has a pattern that is slow to match on all nodes.
    """

    name: str
    body: Mapping[str, Any]
    image: str
    labels: Mapping[str, str]
    constraints: tuple[str, ...] = ()
    affinities: tuple[str, ...] = ()
    whitelists: tuple[str, ...] = ()
    claim: Claim = Claim()  # noqa: RUF009  (frozen)
    platform: str = ""
    swarm_id: str = ""
    network_mode: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes_from: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    copies: str = ""
    left: Node | None = field(default=None, repr=False, compare=False)
    replaces: frozenset[str] = frozenset()
    held_volumes: tuple[str, ...] = ()
    loose: Mapping[Thing, Node] = field(default_factory=dict, repr=False, compare=False)
    volume_plugins: Mapping[str, str] = field(default_factory=dict)
    slashed_volumes: tuple[str, ...] = ()
    known_nodes: tuple[Node, ...] = field(default=(), repr=False, compare=False)
    mounted_images: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    cpu_shares_are_cpus: bool = False
    needs: tuple[Need, ...] = ()
    manager_ip: str = ""
    is_searched: bool = False

    @classmethod
    def parse(
        cls,
        body: Any,
        *,
        name: str = "",
        platform: str = "",
        swarm_id: str = "",
        version: ApiVersion | None = None,
        lenient: bool = False,
        manager_ip: str = "",
    ) -> Self:
        """Read a create.

        Args:
            body: the parsed JSON body; is not changed.
            name: the ``name`` query parameter.
            platform: the ``platform`` query parameter.
            swarm_id: used unless the body's labels have one.
            version: the client's API version; ``None`` if no client asks for a container.
            lenient: whether to ignore a malformed label of expressions, as Swarm classic does.
            manager_ip: the IP address by which the client reached the manager, or empty.

        Raises:
            BadRequest: not an object, a duplicate field, a malformed name, expression label or
                reschedule policy, a field that *version* does not allow, or more items than
                ``request_limits`` allows.
        """
        if not isinstance(body, Mapping):
            raise BadRequest("config cannot be empty in order to create a container")
        read = with_docker_spelling(body)
        env, labels, taken = take_instructions(
            as_list(read.get("Env")), _labels(read), lenient=lenient
        )
        if isinstance(read.get("Env"), list):
            read["Env"] = env
        if swarm_id:
            labels.setdefault(SWARM_ID, swarm_id)
        read["Labels"] = labels
        host_config = as_object(read.get("HostConfig"))
        exposed = as_object(read.get("ExposedPorts"))
        _check_mounts(host_config)
        expressions = [*taken["constraint"], *taken["affinity"], *taken["whitelist"]]
        _check_expressions(expressions)
        name = _checked_name(name)
        _check_policies(taken["reschedule"])
        config = cls(
            name=name,
            body=read,
            image=as_text(read.get("Image")),
            labels={key: value for key, value in labels.items() if isinstance(value, str)},
            constraints=taken["constraint"],
            affinities=taken["affinity"],
            whitelists=taken["whitelist"],
            # The node's address is not yet known, so the port is claimed on all addresses.
            claim=claim_of_body(bound_to(host_config, manager_ip, ""), exposed),
            platform=platform,
            swarm_id=as_text(labels.get(SWARM_ID)),
            network_mode=as_text(host_config.get("NetworkMode")),
            exposed_ports=tuple(exposed),
            volumes_from=_names(host_config.get("VolumesFrom")),
            links=_links(host_config, read.get("NetworkingConfig")),
            joined=joined_containers(host_config),
            networks=named_networks(host_config, read.get("NetworkingConfig")),
            volumes=named_volumes(host_config),
            volume_plugins=volume_plugins(host_config),
            mounted_images=mounted_images(host_config),
            devices=read_devices(host_config).cdi,
            needs=needs_of_create(read, platform, version) if version else (),
            manager_ip=manager_ip,
            is_searched=any(map(is_searched, expressions)),
        )
        _check_references(
            config.volumes, config.networks, config.volumes_from, config.links, config.joined,
            config.mounted_images,
        )  # fmt: skip
        return config

    def with_swarm_id(self, swarm_id: str) -> Self:
        """This config with another swarm id, also in its labels."""
        labels = {**self.labels, SWARM_ID: swarm_id}
        body = {**self.body, "Labels": {**self.body["Labels"], SWARM_ID: swarm_id}}
        return replace(self, swarm_id=swarm_id, labels=labels, body=body)

    def as_copy_of(self, original: Container, node: Node) -> Self:
        """This config for a container that takes the place of *original*, which is on *node*."""
        return replace(self, copies=original.id, left=node)

    def with_shares_as_cpus(self) -> Self:
        """This config with ``CpuShares`` as a claimed number of CPUs: ``docs/decisions/0003``."""
        cpus = count(as_object(self.body.get("HostConfig")).get("CpuShares"))
        claim = self.claim
        if not claim.nano_cpus:
            claim = replace(claim, nano_cpus=cpus * NANO)
        return replace(self, claim=claim, cpu_shares_are_cpus=True)

    def informed_by(self, nodes: Sequence[Node], *, all_known: bool = False) -> Self:
        """This config with what is known about the objects that it refers to.

        Args:
            nodes: the nodes whose objects are known.
            all_known: whether these are all nodes of the cluster.
        """
        held = {name for name in self.volumes if any(node.has_volume(name) for node in nodes)}
        loose = dict(find_loose(self.volumes, self.networks, nodes))
        if self.left is not None:
            loose |= find_left_networks(self.networks, self.left, nodes)
        return replace(
            self,
            held_volumes=tuple(
                name for name in self.volumes if name in held and ("volume", name) not in loose
            ),
            loose=loose,
            slashed_volumes=tuple(
                name
                for name in self.volumes
                if "/" in name and all(without_node(name, node) == name for node in nodes)
            ),
            known_nodes=tuple(nodes) if all_known else (),
        )

    @property
    def replacement(self) -> Replacement:
        """What identifies the containers that it replaces."""
        return Replacement(self.name, self.labels, self.claim.ports)

    def with_replaced(self, nodes: Iterable[Node]) -> Self:
        """This config with the ids of the containers on *nodes* that it replaces."""
        return replace(self, replaces=frozenset(self.replacement.replaced(nodes)))

    def body_for(self, node: Node) -> dict[str, Any]:
        """The body for the engine of *node*: references converted, the manager's address replaced
        by the node's, CPUs as CPU shares, and the GPUs that are reserved there by id."""
        body = dict(self.body)
        if isinstance(host_config := body.get("HostConfig"), Mapping):
            host_config = without_prefixes(host_config, node)
            host_config = bound_to(host_config, self.manager_ip, node.ip)
            held = node.reservations.get(self.swarm_id)
            if held is not None and held.claim.gpus != self.claim.gpus:
                ids = held.claim.gpu_ids[len(self.claim.gpu_ids) :]
                host_config = with_named_gpus(host_config, ids)
            cpus = count(host_config.get("CpuShares")) if self.cpu_shares_are_cpus else 0
            if cpus and node.cpus:
                host_config["CpuShares"] = -(-cpus * SHARES // node.cpus)
            body["HostConfig"] = host_config
        networking = as_object(body.get("NetworkingConfig"))
        if endpoints := as_object(networking.get("EndpointsConfig")):
            endpoints = endpoints_without_prefixes(endpoints, node)
            body["NetworkingConfig"] = {**networking, "EndpointsConfig": endpoints}
        return body


def _checked_name(name: str) -> str:
    name = name.removeprefix("/")
    if name and not _NAME.fullmatch(name):
        raise BadRequest(
            f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        )
    return name


def _check_policies(policies: tuple[str, ...]) -> None:
    if len(policies) > 1:
        raise BadRequest(f"too many reschedule policies: {', '.join(policies)}; give one")
    if policies and policies[0] not in _POLICIES:
        raise BadRequest(f"invalid reschedule policy: {policies[0]}; known: {', '.join(_POLICIES)}")


def _labels(body: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = body.get("Labels")
    if labels is not None and not isinstance(labels, Mapping):
        raise BadRequest("Labels must be an object of texts")  # the manager adds labels
    check_labels(labels)
    return labels or {}


def _links(host_config: Mapping[str, Any], networking: Any) -> tuple[str, ...]:
    """Targets of links; for user-defined networks, clients send links with the endpoint."""
    endpoints = as_object(as_object(networking).get("EndpointsConfig")).values()
    named = [_names(as_object(endpoint).get("Links")) for endpoint in endpoints]
    return tuple(dict.fromkeys((*_names(host_config.get("Links")), *sum(named, ()))))


def _names(references: Any) -> tuple[str, ...]:
    """``db`` for each of ``db:ro``, ``db:alias`` and ``/db:/web/alias``."""
    texts = as_texts(references)
    return tuple(text.partition(":")[0].removeprefix("/") for text in texts)


# ---- limits of one create, as placing it is one step that blocks all others


def _check_expressions(expressions: Collection[str]) -> None:
    """Limit the number of constraints, affinities and whitelists.

    Raises:
        BadRequest: there are too many, or too many of them are patterns.
    """
    check_count(expressions, EXPRESSIONS, "constraints, affinities and whitelists")
    check_count(sum(map(is_pattern, expressions)), EXPRESSION_PATTERNS, "patterns in expressions")


def _check_mounts(host_config: Mapping[str, Any]) -> None:
    """Limit the number of ``Binds`` and ``Mounts``.

    Raises:
        BadRequest: there are too many.
    """
    lists = (host_config.get(key) for key in ("Binds", "Mounts"))
    check_count(
        sum(len(each) for each in lists if isinstance(each, list)), MOUNTS, "binds and mounts"
    )


def _check_references(*names: Collection[str]) -> None:
    """Limit the number of references to other objects.

    Raises:
        BadRequest: there are too many.
    """
    check_count(sum(map(len, names)), REFERENCES, "volumes, networks, containers and images")
