"""A create's body as Docker spells it: engines take names in any case, and some in old places.

Only what placement reads is touched; every other field stays as the client wrote it.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore.config.folding import with_known_spelling

_FIELDS = ("Cpuset", "Env", "ExposedPorts", "HostConfig", "Image", "Labels", "NetworkingConfig")
_HOST_FIELDS = (
    "Annotations", "AutoRemove", "Binds", "CpuPeriod", "CpuQuota", "CpuShares", "CpusetCpus",
    "DeviceRequests", "IpcMode", "Links", "Memory", "MemoryReservation", "MemorySwap", "Mounts",
    "NanoCpus", "NetworkMode", "PidMode", "PortBindings", "PublishAllPorts", "RestartPolicy",
    "Runtime", "VolumeDriver", "VolumesFrom",
)  # fmt: skip
_DEVICE_FIELDS = ("Capabilities", "Count", "DeviceIDs", "Driver")
_MOUNT_FIELDS = ("BindOptions", "Source", "TmpfsOptions", "Type", "VolumeOptions")
#: The options of mounts among which placement looks.
_MOUNT_OPTIONS = {
    "BindOptions": ("CreateMountpoint", "NonRecursive", "ReadOnlyForceRecursive"),
    "TmpfsOptions": ("Options",),
    "VolumeOptions": ("Subpath",),
}
_ENDPOINT_FIELDS = ("DriverOpts", "GwPriority", "Links", "MacAddress")
#: Before API 1.18 these stood beside ``Image``; engines still honour them there.
_LEGACY = {
    "CpuShares": "CpuShares",
    "Cpuset": "CpusetCpus",
    "Memory": "Memory",
    "MemorySwap": "MemorySwap",
    "VolumeDriver": "VolumeDriver",
}


def with_docker_spelling(body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a create's body, with everything about the host in ``HostConfig``.

    Args:
        body: as JSON was parsed; is not changed.

    Raises:
        BadRequest: two keys are one field.
    """
    return _with_host_config(with_known_spelling(body, (*_FIELDS, *_HOST_FIELDS)))


def _with_host_config(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("HostConfig")
    if given is not None and not isinstance(given, Mapping):
        return body  # the engine refuses it
    host_config = with_known_spelling(given or {}, _HOST_FIELDS, "HostConfig")
    legacy = _LEGACY if given is not None else {**dict.fromkeys(_HOST_FIELDS), **_LEGACY}
    for key, name in legacy.items():
        if key in body:
            value, name = body.pop(key), name or key
            host_config[name] = host_config.get(name) or value
    if isinstance(bindings := host_config.get("PortBindings"), Mapping):
        host_config["PortBindings"] = {key: _bindings(of) for key, of in bindings.items()}
    if isinstance(mounts := host_config.get("Mounts"), list):
        host_config["Mounts"] = [_mount(each) for each in mounts]
    if isinstance(requests := host_config.get("DeviceRequests"), list):
        host_config["DeviceRequests"] = _objects(requests, _DEVICE_FIELDS, "DeviceRequests")
    if host_config or given is not None:
        body["HostConfig"] = host_config
    if isinstance(networking := body.get("NetworkingConfig"), Mapping):
        body["NetworkingConfig"] = _networking(networking)
    return body


def _bindings(hosts: Any) -> Any:
    known = ("HostIp", "HostPort")
    return _objects(hosts, known, "PortBindings") if isinstance(hosts, list) else hosts


def _objects(items: list[Any], known: tuple[str, ...], where: str) -> list[Any]:
    return [
        with_known_spelling(item, known, where) if isinstance(item, Mapping) else item
        for item in items
    ]


def _mount(mount: Any) -> Any:
    if not isinstance(mount, Mapping):
        return mount
    read = with_known_spelling(mount, _MOUNT_FIELDS, "Mounts")
    for name, known in _MOUNT_OPTIONS.items():
        if isinstance(options := read.get(name), Mapping):
            read[name] = with_known_spelling(options, known, name)
    return read


def _networking(networking: Mapping[str, Any]) -> dict[str, Any]:
    read = with_known_spelling(networking, ("EndpointsConfig",), "NetworkingConfig")
    if isinstance(endpoints := read.get("EndpointsConfig"), Mapping):
        read["EndpointsConfig"] = {
            network: endpoint_with_docker_spelling(endpoint)
            for network, endpoint in endpoints.items()
        }
    return read


def endpoint_with_docker_spelling(endpoint: Any) -> Any:
    """A copy of one endpoint, of a create or a connect; what is no object stays.

    Raises:
        BadRequest: two keys are one field.
    """
    if not isinstance(endpoint, Mapping):
        return endpoint
    return with_known_spelling(endpoint, _ENDPOINT_FIELDS, "EndpointsConfig")
