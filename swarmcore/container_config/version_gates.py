"""Fields of a create that older engines would ignore.

Go ignores unknown JSON fields: an engine of API 1.41 mounts a whole volume if a subpath of it is
requested.  The table below has one line for each such field.  How engines treat a field in requests
of an older API version was tested with releases 20.10, 26.1 and 28.5.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.json_values import as_list, as_object
from swarmcore.versions import ApiVersion

_SYSCTLS = "com.docker.network.endpoint.sysctls"

_Object = Mapping[str, Any]


class Below(Enum):
    """How an engine treats a known field in a request of an API version older than the field."""

    IGNORED = auto()
    HONOURED = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Need:
    """A field that a create uses, and the API version that introduced it."""

    field: str
    since: ApiVersion


@dataclass(frozen=True, slots=True)
class _Gate:
    """One line of the table.

    Attributes:
        field: name in Docker's documentation.
        since: the API version that introduced it.
        below: how engines treat it in requests of older versions.
        asked: whether a part of the body uses it: ``HostConfig``, one mount, or one endpoint.
    """

    field: str
    since: ApiVersion
    below: Below
    asked: Callable[[_Object], bool]


def _has(*path: str) -> Callable[[_Object], bool]:
    """Whether the value at *path* is set: not zero, false or empty."""

    def asked(part: _Object) -> bool:
        value: Any = part
        for key in path:
            value = as_object(value).get(key)
        return bool(value)

    return asked


def _gate(
    field: str, minor: int, below: Below, asked: Callable[[_Object], bool] | None = None
) -> _Gate:
    return _Gate(field, ApiVersion(1, minor), below, asked or _has(*field.split(".")))


_OF_HOST = (
    _gate("DeviceRequests", 40, Below.HONOURED),
    _gate("Annotations", 43, Below.IGNORED),
)
_OF_MOUNT = (
    _gate("BindOptions.NonRecursive", 40, Below.IGNORED),
    _gate("BindOptions.CreateMountpoint", 42, Below.IGNORED),
    _gate("BindOptions.ReadOnlyForceRecursive", 44, Below.REFUSED),
    _gate("VolumeOptions.Subpath", 45, Below.REFUSED),
    _gate("TmpfsOptions.Options", 46, Below.HONOURED),
    _gate('Mount type "Image"', 48, Below.REFUSED, lambda mount: mount.get("Type") == "image"),
)
_DRIVER_OPTS = f"EndpointsConfig.DriverOpts {_SYSCTLS}"
_OF_CONNECT = (
    _gate(_DRIVER_OPTS, 46, Below.HONOURED, _has("DriverOpts", _SYSCTLS)),
    _gate("EndpointsConfig.GwPriority", 48, Below.IGNORED, _has("GwPriority")),
)
#: All releases ignore the ``MacAddress`` of a connect.
_OF_ENDPOINT = (
    _gate("EndpointsConfig.MacAddress", 44, Below.IGNORED, _has("MacAddress")),
    *_OF_CONNECT,
)
#: Field -> the API version that introduced it.
GATED = {gate.field: gate.since for gate in (*_OF_HOST, *_OF_MOUNT, *_OF_ENDPOINT)}

#: A query parameter of create; engines ignore it in requests of older versions.
PLATFORM = Need("platform", ApiVersion(1, 41))


def needs_of_create(body: _Object, platform: str, version: ApiVersion) -> tuple[Need, ...]:
    """The requirements of a create, without duplicates.

    Args:
        body: the create body in Docker's spelling.
        platform: the query parameter.
        version: the client's API version; newer fields are treated as engines treat them.

    Raises:
        BadRequest: engines refuse a field in *version*; the text is theirs.
    """
    host_config = as_object(body.get("HostConfig"))
    endpoints = as_object(as_object(body.get("NetworkingConfig")).get("EndpointsConfig"))
    found = [
        *_needs(_OF_HOST, host_config, version),
        *(need for each in _mounts(host_config) for need in _needs(_OF_MOUNT, each, version)),
        *(need for each in endpoints.values() for need in _needs(_OF_ENDPOINT, each, version)),
        *([PLATFORM] if platform and version >= PLATFORM.since else ()),
    ]
    return tuple(dict.fromkeys(found))


def needs_of_connect(endpoint: Any) -> tuple[Need, ...]:
    """The requirements of connecting a container to a network, in any API version.

    Args:
        endpoint: ``EndpointConfig``; may be malformed.
    """
    part = as_object(endpoint)
    return tuple(Need(gate.field, gate.since) for gate in _OF_CONNECT if gate.asked(part))


def _needs(gates: tuple[_Gate, ...], part: Any, version: ApiVersion) -> Iterator[Need]:
    for gate in gates:
        if not gate.asked(as_object(part)):
            continue
        if version >= gate.since or gate.below is Below.HONOURED:
            yield Need(gate.field, gate.since)
        elif gate.below is Below.REFUSED:
            raise BadRequest(f"{gate.field} needs API v{gate.since} or newer")


def _mounts(host_config: _Object) -> list[Any]:
    return as_list(host_config.get("Mounts"))
