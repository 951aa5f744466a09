"""Local volumes, whose content a move would leave on the former node.  Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.references import named_volumes
from swarmcore.container_config.scheduling_labels import FAMILIES
from swarmcore.errors import BadRequest
from swarmcore.json_values import as_list, as_object, as_objects, as_text
from swarmcore.model import Container
from swarmcore.node import Node, is_on_network, is_spanning

#: Label by which a user says what a move does with local volumes.
VOLUMES: Final = "com.docker.swarm.reschedule-volumes"
#: Its only value: the container moves, gets new volumes, and the old ones stay where they are.
ABANDON: Final = "abandon"

_POLICIES = FAMILIES["reschedule"]
_ON_NODE_FAILURE = "on-node-failure"


def volumes_left_behind(original: Container, node: Node) -> list[str]:
    """The volumes whose content a move would leave on *node*: named ones with a local driver.

    Volumes of other drivers, of network file systems, and those that span engines are not included.
    Anonymous volumes belong to their container; as in Swarm classic, the copy gets new ones.
    """
    named = set(named_volumes(as_object(original.detail.get("HostConfig"))))
    mounted = as_objects(as_list(original.detail.get("Mounts")))
    names = {as_text(each.get("Name")) for each in mounted if each.get("Type") == "volume"}
    return sorted(name for name in names & named if _is_local(node.volumes.get(name)))


def may_abandon(original: Container) -> bool:
    """Whether a label of *original* allows that local volumes are left behind."""
    return original.labels.get(VOLUMES) == ABANDON


def check_volumes(config: ContainerConfig, nodes: Iterable[Node]) -> None:
    """Check that a container that asks to be moved can be moved without losing data.

    Args:
        config: what the client asks for.
        nodes: the nodes, whose volumes tell their drivers.

    Raises:
        BadRequest: the container asks to be moved and mounts local volumes, and no label allows
            that they are left behind; or that label has an unknown value.
    """
    said = config.labels.get(VOLUMES)
    if said not in (None, ABANDON):
        raise BadRequest(f"label {VOLUMES}={said}: use {ABANDON}, or leave the label out")
    if said is None and config.volumes and _asks_to_move(config):
        local = _local_volumes(config, nodes)
        if local:
            raise BadRequest(
                f"the container asks to be moved (reschedule:{_ON_NODE_FAILURE}), but the content"
                f" of its local volumes ({', '.join(local)}) would stay behind: add the label"
                f" {VOLUMES}={ABANDON} to allow that, or leave the policy out"
            )


def _asks_to_move(config: ContainerConfig) -> bool:
    policies = config.labels.get(_POLICIES) or "[]"
    return _ON_NODE_FAILURE in as_list(json.loads(policies))


def _local_volumes(config: ContainerConfig, nodes: Iterable[Node]) -> list[str]:
    """The volumes of *config* that exist as local ones only, or that its create makes local."""
    made = _volumes_to_make(as_object(config.body.get("HostConfig")))
    existing: dict[str, list[Mapping[str, Any]]] = {name: [] for name in config.volumes}
    for node in nodes:
        for name, found in existing.items():
            if (volume := node.volumes.get(name.rpartition("/")[2])) is not None:
                found.append(volume)
    return [
        name
        for name, found in existing.items()
        if all(map(_is_local, found or [made.get(name, _LOCAL)]))
    ]


def _volumes_to_make(host_config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The volumes that a create makes if they do not exist, with driver and options."""
    driver = {"Driver": as_text(host_config.get("VolumeDriver")) or "local"}
    made: dict[str, Mapping[str, Any]] = dict.fromkeys(
        named_volumes({"Binds": host_config.get("Binds")}), driver
    )
    for mount in as_objects(host_config.get("Mounts")):
        asked = as_object(as_object(mount.get("VolumeOptions")).get("DriverConfig"))
        made[as_text(mount.get("Source"))] = {
            "Driver": as_text(asked.get("Name")) or "local",
            "Options": asked.get("Options"),
        }
    return made


_LOCAL: Mapping[str, Any] = {"Driver": "local"}


def _is_local(volume: Mapping[str, Any] | None) -> bool:
    """Whether a volume of a node's list is on that node only; unknown volumes are."""
    if volume is None:
        return True
    is_shared = is_spanning(volume) or is_on_network(volume)
    return volume.get("Driver") == "local" and not is_shared
