"""Nodes and configs of many kinds for contracts, and a way to check that a node is unchanged."""

import copy
from collections.abc import Mapping
from typing import Any

from swarmcore.container_config import ContainerConfig
from swarmcore.model import GiB, MiB, State
from swarmcore.node import Node
from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation


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
