"""Normalises a create body to Docker's spelling: engines accept other cases and old positions.

Go's JSON decoder accepts ``{"hostconfig": {"memory": 1}}``, so placement must read it, too.  Only
fields that placement reads are changed; all others are passed on as the client wrote them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from swarmcore.errors import BadRequest

_FIELDS = ("Cpuset", "Env", "ExposedPorts", "HostConfig", "Image", "Labels", "NetworkingConfig")
_HOST_FIELDS = (
    "Annotations", "AutoRemove", "Binds", "CpuPeriod", "CpuQuota", "CpuShares", "CpusetCpus",
    "DeviceRequests", "IpcMode", "Links", "Memory", "MemoryReservation", "MemorySwap", "Mounts",
    "NanoCpus", "NetworkMode", "PidMode", "PortBindings", "PublishAllPorts", "RestartPolicy",
    "Runtime", "VolumeDriver", "VolumesFrom",
)  # fmt: skip
_DEVICE_FIELDS = ("Capabilities", "Count", "DeviceIDs", "Driver")
_MOUNT_FIELDS = ("BindOptions", "Source", "TmpfsOptions", "Type", "VolumeOptions")
#: Options of mounts that placement reads.
_MOUNT_OPTIONS = {
    "BindOptions": ("CreateMountpoint", "NonRecursive", "ReadOnlyForceRecursive"),
    "TmpfsOptions": ("Options",),
    "VolumeOptions": ("Subpath",),
}
_ENDPOINT_FIELDS = ("DriverOpts", "GwPriority", "Links", "MacAddress")
#: Before API 1.18 these were top-level fields; engines still accept them there.
_LEGACY = {
    "CpuShares": "CpuShares",
    "Cpuset": "CpusetCpus",
    "Memory": "Memory",
    "MemorySwap": "MemorySwap",
    "VolumeDriver": "VolumeDriver",
}


def with_docker_spelling(body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a create body with all host settings in ``HostConfig``.

    Args:
        body: the parsed JSON body; is not changed.

    Raises:
        BadRequest: two keys stand for the same field.
    """
    return _with_host_config(with_known_spelling(body, (*_FIELDS, *_HOST_FIELDS)))


def _with_host_config(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("HostConfig")
    if given is not None and not isinstance(given, Mapping):
        return body  # the engine will refuse it
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
    """A copy of one endpoint of a create or connect; a value that is no object is unchanged.

    Raises:
        BadRequest: two keys stand for the same field.
    """
    if not isinstance(endpoint, Mapping):
        return endpoint
    return with_known_spelling(endpoint, _ENDPOINT_FIELDS, "EndpointsConfig")


#: The two non-ASCII letters that Go's case folding maps to ASCII letters.
_ODD = str.maketrans({"\u017f": "s", "\u212a": "k"})


def fold(key: str) -> str:
    """Fold the case of a Go field name: two spellings of one field give the same text."""
    return key.translate(_ODD).lower()


def with_known_spelling(
    fields: Mapping[str, Any], known: Iterable[str], where: str = ""
) -> dict[str, Any]:
    """A copy of *fields* with known keys in Docker's spelling; other keys are unchanged.

    Args:
        fields: a JSON object that an engine decodes into a struct (not a map of user data).
        known: field names in Docker's spelling.
        where: name of the object for errors, such as ``HostConfig``.

    Raises:
        BadRequest: two keys stand for the same field.
    """
    spelling = {fold(name): name for name in known}
    read: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for key, value in fields.items():
        folded = fold(key)
        if folded in seen:
            within = f" in {where}" if where else ""
            raise BadRequest(f"fields {seen[folded]!r} and {key!r}{within} are one: give it once")
        seen[folded] = key
        read[spelling.get(folded, key)] = value
    return read
