"""Nodes and configs of many kinds for contracts, and a way to check that a node is unchanged."""

import copy
from collections.abc import Callable, Collection, Mapping
from typing import Any

from swarmcore.container_config import ContainerConfig
from swarmcore.model import Drain, FailedPulls, GiB, MiB, State
from swarmcore.node import Aspect, Node
from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation
from swarmcore.versions import FLOOR


def usable_nodes() -> list[Node]:
    """Return nodes that a strategy may be given: healthy, and with room for ``modest_configs``."""
    return [
        a_node("empty", containers=[], images=[]),
        a_node("busy", containers=["web", "db", "cache"], memory=16 * GiB),
        a_node(
            "half-full",
            cpus=2,
            containers=[a_container("big", memory=4 * GiB, cpus=1, ports=["8080:80"])],
        ),
        a_node("stopped", containers=[a_container("old", state="exited", memory=GiB)]),
        a_node("promised", reservations=[a_reservation("soon", memory=GiB, cpus=0.5)]),
        a_node("labelled", labels={"zone": "b", "storagedriver": "overlay2"}),
        a_node("limping", failures=1),
        a_node("huge", cpus=512, memory=24 * 1024 * GiB),
    ]


def odd_nodes() -> list[Node]:
    """Return nodes that a rule may be given: every kind of node that a cluster can have."""
    pending = Node("192.0.2.99:2375", "192.0.2.99:2375")
    return [
        *usable_nodes(),
        pending,
        a_node("nothing", cpus=0, memory=0, images=[]),
        a_node("unhealthy", state=State.UNHEALTHY, failures=3),
        a_node("gone", state=State.DISCONNECTED),
        a_node("drained", drained="maintenance"),
        a_node("overfull", memory=GiB, containers=[a_container("fat", memory=2 * GiB, cpus=9)]),
    ]


def modest_configs() -> list[ContainerConfig]:
    """Return configs that fit on every one of ``usable_nodes``."""
    return [
        a_config(),
        a_config("nginx:1.27", name="web-2", memory=256 * MiB, cpus=0.25),
        a_config(ports=["80:80", "5000-5010:53/udp", "127.0.0.1:8080:80"]),
        a_config(labels={"tier": "front"}, env=["A=1"], command=["sleep", "10"]),
        a_config(body={"HostConfig": {"NetworkMode": "host"}, "ExposedPorts": {"80/tcp": {}}}),
        a_config(platform="linux/arm64"),
    ]


def expressive_configs() -> list[ContainerConfig]:
    """Return configs with scheduling expressions of every form."""
    expressions = [
        "constraint:zone==b",
        "constraint:zone!=~b",
        "constraint:storagedriver==/over.*/",
        "constraint:node==*",
        "affinity:container==web",
        "affinity:container!=web*",
        "affinity:image==~nginx",
        "affinity:tier==front",
    ]
    return [
        *(a_config(env=[expression]) for expression in expressions),
        a_config(env=expressions),
        a_config(labels={"com.docker.swarm.constraints": '["zone==b"]'}),
    ]


def node_state(node: Node) -> Mapping[str, Any]:
    """Return a copy of all attributes of *node*, for a later comparison."""
    return {key: copy.copy(value) for key, value in vars(node).items()}


def _change_machine(node: Node) -> None:
    node.name, node.cpus, node.memory, node.overcommit = "renamed", 1, 64 * MiB, 1.0
    node.api_version = FLOOR
    node.labels = {"zone": "z", "containerslots": "0", "swarm.gpus": "1"}
    node.info = {"OSType": "windows", "Architecture": "s390x"}


def _change_health(node: Node) -> None:
    usable = node.health > 0
    node.state, node.failures = (State.UNHEALTHY, 3) if usable else (State.HEALTHY, 0)
    node.drained = Drain("changed") if node.drained is None else None


def _change_containers(node: Node) -> None:
    for id in list(node.containers):
        node.drop_container(id)
    ports = ["80:80", "8080:80", "5000-5010:53/udp"]
    changed = a_container("web-2", labels={"tier": "x"}, ports=ports, memory=GiB, cpus=1)
    node.put_container(changed)
    node.reserve(a_reservation("web", image="nginx", ports=["127.0.0.1:8080:80"], memory=GiB))


def _change_images(node: Node) -> None:
    node.images = a_node("other", images=[] if node.images else ["busybox", "nginx:1.27"]).images
    node.failed_pulls = {"": FailedPulls("", 1, "nginx", "no space left on device", 0.0, 0.0)}


def _change_objects(node: Node) -> None:
    other = a_node("other", networks=["front"], volumes=["data"])
    node.networks, node.volumes = other.networks, other.volumes


def changes_unread(reads: Collection[Aspect]) -> list[Callable[[Node], None]]:
    """Return functions that change a node in all ways that *reads* excludes.

    Networks and volumes are always among them, as nodes do not note their changes.
    """
    changes = {
        Aspect.MACHINE: _change_machine,
        Aspect.HEALTH: _change_health,
        Aspect.CONTAINERS: _change_containers,
        Aspect.IMAGES: _change_images,
    }
    unread = [change for aspect, change in changes.items() if aspect not in reads]
    return [*unread, _change_objects]
