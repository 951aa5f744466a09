"""An engine's documents about itself: version and info."""

from collections.abc import Mapping
from typing import Any

_KERNEL = "6.1.0-embedded"
_GO = "go1.24.9"
_COMMIT = "0000000000000000000000000000000000000000"
_BUILT = "2026-01-01T00:00:00.000000000+00:00"

#: Fields of ``info`` that are the same on every embedded engine.
_INFO: Mapping[str, Any] = {
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
    "Plugins": {
        "Volume": ["local"],
        "Network": ["bridge", "host", "null"],
        "Authorization": None,
        "Log": ["json-file"],
    },
    "MemoryLimit": True,
    "SwapLimit": True,
    "KernelMemoryTCP": True,
    "CpuCfsPeriod": True,
    "CpuCfsQuota": True,
    "CPUShares": True,
    "CPUSet": True,
    "PidsLimit": True,
    "IPv4Forwarding": True,
    "Debug": False,
    "NFd": 24,
    "OomKillDisable": True,
    "NGoroutines": 40,
    "LoggingDriver": "json-file",
    "CgroupDriver": "cgroupfs",
    "CgroupVersion": "2",
    "KernelVersion": _KERNEL,
    "OperatingSystem": "swarmcore embedded engine",
    "OSVersion": "1",
    "OSType": "linux",
    "Architecture": "x86_64",
    "IndexServerAddress": "https://index.docker.io/v1/",
    "RegistryConfig": {
        "IndexConfigs": {
            "docker.io": {"Mirrors": [], "Name": "docker.io", "Official": True, "Secure": True}
        },
        "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
        "Mirrors": None,
    },
    "GenericResources": None,
    "DockerRootDir": "/var/lib/docker",
    "HttpProxy": "",
    "HttpsProxy": "",
    "NoProxy": "",
    "ExperimentalBuild": False,
    "Runtimes": {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}},
    "DefaultRuntime": "runc",
    "Swarm": {
        "NodeID": "",
        "NodeAddr": "",
        "LocalNodeState": "inactive",
        "ControlAvailable": False,
        "Error": "",
        "RemoteManagers": None,
    },
    "LiveRestoreEnabled": False,
    "Isolation": "",
    "InitBinary": "docker-init",
    "ContainerdCommit": {"ID": ""},
    "RuncCommit": {"ID": ""},
    "InitCommit": {"ID": ""},
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "FirewallBackend": {"Driver": "iptables"},
    "CDISpecDirs": ["/etc/cdi", "/var/run/cdi"],
    "Containerd": {
        "Address": "/run/containerd/containerd.sock",
        "Namespaces": {"Containers": "moby", "Plugins": "plugins.moby"},
    },
    "Warnings": None,
}


def info_document(
    *,
    id: str,
    name: str,
    cpus: int,
    memory: int,
    labels: Mapping[str, str],
    version: str,
    moment: str,
    counts: Mapping[str, int],
    images: int = 0,
    listeners: int = 0,
) -> dict[str, Any]:
    """Return the document of ``GET /info``.

    Args:
        id: the engine's id.
        name: its host name.
        cpus: the CPUs of the machine.
        memory: the memory of the machine in bytes.
        labels: the engine's labels.
        version: its release.
        moment: the current time in RFC 3339.
        counts: the numbers of ``running``, ``paused`` and ``stopped`` containers.
        images: the number of images.
        listeners: the number of clients that follow its events.
    """
    return {
        "ID": id,
        "Containers": sum(counts.values()),
        "ContainersRunning": counts.get("running", 0),
        "ContainersPaused": counts.get("paused", 0),
        "ContainersStopped": counts.get("stopped", 0),
        "Images": images,
        **_INFO,
        "SystemTime": moment,
        "NEventsListener": listeners,
        "NCPU": cpus,
        "MemTotal": memory,
        "Name": name,
        "Labels": [f"{key}={value}" for key, value in labels.items()],
        "ServerVersion": version,
    }


def version_document(version: str, min_api: str, max_api: str) -> dict[str, Any]:
    """Return the document of ``GET /version``.

    Args:
        version: the release.
        min_api, max_api: the range of API versions.
    """
    about = {
        "GitCommit": _COMMIT,
        "GoVersion": _GO,
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": _KERNEL,
        "BuildTime": _BUILT,
    }
    spoken = {"ApiVersion": max_api, "MinAPIVersion": min_api}
    engine = {
        "Name": "Engine",
        "Version": version,
        "Details": {**about, **spoken, "Experimental": "false"},
    }
    parts = [
        {"Name": name, "Version": "embedded", "Details": {"GitCommit": ""}}
        for name in ("containerd", "runc", "docker-init")
    ]
    return {
        "Platform": {"Name": ""},
        "Components": [engine, *parts],
        "Version": version,
        **spoken,
        **about,
    }
