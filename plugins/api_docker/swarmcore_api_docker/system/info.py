"""``GET /info`` of a cluster, made from the ``info`` of its engines.  Pure.

Numbers are summed.  A capability is shown if every engine that mentions it has it.  A field with
one choice has the most common one.  Other fields of engines are left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from swarmcore.model import NANO, State
from swarmcore.node import Node
from swarmcore.printable import printable
from swarmcore.protocols import Cluster
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.images.merge import count_listed
from swarmcore_api_docker.system.status_rows import system_status
from swarmcore_api_docker.system.version import ManagerFacts, cluster_release

T = TypeVar("T")
#: Capabilities: a cluster has one if every engine that mentions it has it.
_CAPABILITIES = (
    "MemoryLimit", "SwapLimit", "KernelMemory", "KernelMemoryTCP", "CpuCfsPeriod", "CpuCfsQuota",
    "CPUShares", "CPUSet", "PidsLimit", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables",
    "OomKillDisable",
)  # fmt: skip
#: Values that newer engines send only to older clients, and so not to the manager.
_OUTDATED = {"KernelMemory": True, "BridgeNfIptables": False, "BridgeNfIp6tables": False}
#: Fields with one choice for each engine -> the value if no engine has the field.
_CHOICES: Mapping[str, Any] = {
    "OSType": "linux", "LoggingDriver": "json-file", "CgroupDriver": "cgroupfs",
    "CgroupVersion": "1", "DefaultRuntime": "runc", "SecurityOptions": [],
    "DockerRootDir": "/var/lib/docker",
}  # fmt: skip
#: Fields that are shown if all engines have the same value.
_AGREED = ("Containerd", "DefaultAddressPools", "FirewallBackend")
#: Lists: the cluster shows the items that every engine has.
_COMMON = ("CDISpecDirs", "DiscoveredDevices")
#: The first API version that has a field, and the last one.
_SINCE = {
    "Containerd": ApiVersion(1, 46),
    "FirewallBackend": ApiVersion(1, 49),
    "DiscoveredDevices": ApiVersion(1, 50),
}
_UNTIL = {
    "KernelMemory": ApiVersion(1, 41),
    "BridgeNfIptables": ApiVersion(1, 49),
    "BridgeNfIp6tables": ApiVersion(1, 49),
}
#: From this version on, security options have details; older clients get only their names.
_NAMED_OPTIONS = ApiVersion(1, 25)
_PLUGIN_KINDS = ("Volume", "Network", "Authorization", "Log")
#: ``docker login`` without a server name asks for this field.
_DOCKER_HUB = "https://index.docker.io/v1/"
#: The fields that are the same in every answer.
_CONSTANT: Mapping[str, Any] = {
    "Debug": False,
    "LiveRestoreEnabled": False,
    "HttpProxy": "",
    "HttpsProxy": "",
    "NoProxy": "",
    "Labels": [],
    "Isolation": "",
    "InitBinary": "",
    "ContainerdCommit": {"ID": "", "Expected": ""},
    "RuncCommit": {"ID": "", "Expected": ""},
    "InitCommit": {"ID": "", "Expected": ""},
}


def describe_info(
    cluster: Cluster,
    manager: ManagerFacts,
    now: str,
    version: ApiVersion,
    *,
    classic: bool = False,
    facts: Mapping[str, Any] | None = None,
    status: object = None,
) -> dict[str, Any]:
    """Return the document of ``GET /info``.

    Args:
        cluster: the cluster.
        manager: the manager that answers.
        now: the manager's time, in RFC 3339.
        version: the client's API version.
        classic: as in Swarm classic, sums include overcommitment and the release is ``swarm/...``.
        facts: the result of ``engine_facts`` if it is known.
        status: replaces the rows of ``SystemStatus``.
    """
    if facts is None:
        facts = engine_facts(cluster.nodes(), manager)
    if status is None:
        status = system_status(cluster)
    document = {
        "ID": cluster.id,
        "Name": cluster.name,
        **_sums(cluster.nodes()),
        "SystemStatus": status,
        **facts,
        "SystemTime": now,
        "NEventsListener": cluster.listeners,
        "ExperimentalBuild": cluster.experimental,
        **_CONSTANT,
    }
    if classic:
        document |= _classic(cluster, manager)
    if version < _NAMED_OPTIONS:
        document["SecurityOptions"] = [_bare(option) for option in document["SecurityOptions"]]
    return {name: value for name, value in document.items() if _is_shown(name, version)}


def _bare(option: str) -> str:
    """``name=seccomp,profile=default`` -> ``seccomp``."""
    return option.removeprefix("name=").partition(",")[0]


def _is_shown(name: str, version: ApiVersion) -> bool:
    return _SINCE.get(name, version) <= version <= _UNTIL.get(name, version)


def engine_facts(nodes: Sequence[Node], manager: ManagerFacts) -> dict[str, Any]:
    """Return the part of the document that depends on the engines, but not on what is on them.

    Args:
        nodes: all nodes.
        manager: the manager that answers.
    """
    infos = [node.info for node in nodes if node.state is State.HEALTHY]
    return {
        **_storage(infos),
        **_capabilities(infos),
        **_choices(infos),
        **_agreed(infos),
        **_common(infos),
        "Architecture": _most_common(infos, "Architecture", manager.machine),
        "Plugins": _plugins(infos),
        "Runtimes": _runtimes(infos),
        "GenericResources": None,
        "RegistryConfig": _registry_config(infos),
        "IndexServerAddress": _DOCKER_HUB,
        "Swarm": _outside_swarm_mode(),
        "Warnings": _warnings(nodes),
        "ServerVersion": cluster_release(nodes, manager),
        "KernelVersion": manager.kernel,
        "OperatingSystem": f"swarmcore {manager.release}",
        "OSVersion": "",
    }


def _classic(cluster: Cluster, manager: ManagerFacts) -> dict[str, Any]:
    nodes = cluster.nodes()
    return {
        "NCPU": sum(node.total_nano_cpus for node in nodes) // NANO,
        "MemTotal": sum(node.total_memory for node in nodes),
        "ServerVersion": cluster_release(nodes, manager, classic=True),
        "OperatingSystem": manager.os,
    }


def _sums(nodes: Sequence[Node]) -> dict[str, int]:
    infos = [node.info for node in nodes if node.state is State.HEALTHY]
    counts = [node.container_counts for node in nodes]
    return {
        "Containers": sum(len(node.containers) for node in nodes),
        "ContainersRunning": sum(count.running for count in counts),
        "ContainersPaused": sum(count.paused for count in counts),
        "ContainersStopped": sum(count.stopped for count in counts),
        "Images": count_listed(node.images.values() for node in nodes if node.health),
        "NCPU": sum(node.cpus for node in nodes),
        "MemTotal": sum(node.memory for node in nodes),
        "NFd": sum(int(info.get("NFd") or 0) for info in infos),
        "NGoroutines": sum(int(info.get("NGoroutines") or 0) for info in infos),
    }


def _storage(infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the storage driver if all engines have the same; builders derive features from it."""
    drivers = [(info.get("Driver") or "", info.get("DriverStatus") or []) for info in infos]
    if drivers and all(driver[0] == drivers[0][0] for driver in drivers):
        same = all(driver == drivers[0] for driver in drivers)
        return {"Driver": drivers[0][0], "DriverStatus": drivers[0][1] if same else []}
    return {"Driver": "", "DriverStatus": []}


def _capabilities(infos: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    reported = {
        name: all(info.get(name, True) for info in infos)
        for name in _CAPABILITIES
        if not infos or any(name in info for info in infos)
    }
    return {**_OUTDATED, **reported}


def _choices(infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: _most_common(infos, name, default) for name, default in _CHOICES.items()}


def _agreed(infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = infos[0] if infos else {}
    return {
        name: first[name]
        for name in _AGREED
        if name in first and all(info.get(name) == first[name] for info in infos)
    }


def _common(infos: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {
        name: _intersection([info.get(name) or [] for info in infos])
        for name in _COMMON
        if any(name in info for info in infos)
    }


def _most_common(infos: Sequence[Mapping[str, Any]], name: str, default: Any) -> Any:
    values = [info[name] for info in infos if info.get(name)]
    if not values:
        return default
    counts = Counter(repr(value) for value in values)
    return max(values, key=lambda value: counts[repr(value)])


def _plugins(infos: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {kind: _intersection(_plugin_lists(infos, kind)) for kind in _PLUGIN_KINDS}


def _plugin_lists(infos: Sequence[Mapping[str, Any]], kind: str) -> list[list[str]]:
    return [(info.get("Plugins") or {}).get(kind) or [] for info in infos]


def _intersection(lists: Sequence[Sequence[T]]) -> list[T]:
    """Return the items that are in all *lists*, in the order of the first."""
    first, *others = lists or [[]]
    return [item for item in first if all(item in other for other in others)]


def _runtimes(infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    runtimes = [info.get("Runtimes") or {} for info in infos]
    return {name: runtimes[0][name] for name in _intersection([list(each) for each in runtimes])}


def _registry_config(infos: Sequence[Mapping[str, Any]]) -> Any:
    for info in infos:
        if info.get("RegistryConfig"):
            return info["RegistryConfig"]
    return {"InsecureRegistryCIDRs": [], "IndexConfigs": {}, "Mirrors": []}


def _outside_swarm_mode() -> dict[str, Any]:
    return {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    }


def _warnings(nodes: Sequence[Node]) -> list[str]:
    return [
        printable(f"{node.name}: {warning}")
        for node in nodes
        if node.state is State.HEALTHY
        for warning in node.info.get("Warnings") or ()
    ]
