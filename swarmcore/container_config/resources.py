"""The resources that a container claims: CPU, memory, host ports, GPUs, CDI devices.

Read from a create body or from an engine's inspection.  A number that Docker's API does not allow
(text, fraction, negative) claims nothing: the engine will refuse it with its own message.
``node.gpus`` knows which GPUs a node has and which containers hold them.  Source: Engine API 1.40
(``HostConfig.DeviceRequests``), and 1.44 for the driver ``cdi``.
"""

import contextlib
import functools
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from swarmcore.container_config.normalize import with_known_spelling
from swarmcore.json_values import as_list, as_object, as_objects, as_texts
from swarmcore.model import ALL_GPUS, ANY_IP, NANO, Claim, HostPort

_DEFAULT_PERIOD = 100_000
_LARGEST = 2**63 - 1
#: Fields of an update that change the claim.
_UPDATED = ("CpuPeriod", "CpuQuota", "CpuShares", "Memory", "MemoryReservation", "NanoCpus")
#: CPU shares that stand for all CPUs of a node, if shares count as CPUs.
SHARES = 1024


def claim_of_body(host_config: Mapping[str, Any], exposed_ports: Mapping[str, Any]) -> Claim:
    """The claim of a create.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
        exposed_ports: ``ExposedPorts``.
    """
    if _on_host_network(host_config):
        ports = list(_exposed(exposed_ports))
    else:
        ports = [port for _, port in _bound(host_config.get("PortBindings"))]
    return _claim(_nano_cpus(host_config), host_config, ports)


def claim_after_update(
    detail: Mapping[str, Any],
    changes: Mapping[str, Any],
    cpus: int,
    *,
    cpu_shares_are_cpus: bool = False,
) -> Claim:
    """The claim of an existing container after an update.

    Args:
        detail: see ``claim_of``.
        changes: the body of ``POST /containers/{id}/update``; field names in any case.  As for an
            engine, zero values change nothing.
        cpus, cpu_shares_are_cpus: see ``claim_of``.

    Raises:
        BadRequest: two keys stand for the same field.
    """
    given = with_known_spelling(changes, _UPDATED)
    changed = {field: given[field] for field in _UPDATED if given.get(field)}
    updated = {**detail, "HostConfig": {**as_object(detail.get("HostConfig")), **changed}}
    return claim_of(updated, cpus, cpu_shares_are_cpus=cpu_shares_are_cpus)


def claim_of(detail: Mapping[str, Any], cpus: int, *, cpu_shares_are_cpus: bool = False) -> Claim:
    """The claim of an existing container.

    CPU, memory, GPUs and fixed ports count in every state, as the container may be started at any
    time.  A port that the engine chose counts while the container has it.

    Args:
        detail: its ``GET /containers/{id}/json``.
        cpus: number of CPUs of its node.
        cpu_shares_are_cpus: whether ``CpuShares`` are 1024ths of all CPUs of the node, as Swarm
            classic set them.
    """
    host_config = as_object(detail.get("HostConfig"))
    nano_cpus = _nano_cpus(host_config)
    if not nano_cpus and cpu_shares_are_cpus:
        nano_cpus = count(host_config.get("CpuShares")) * cpus * NANO // SHARES
    if _on_host_network(host_config):
        ports = list(_exposed(as_object(as_object(detail.get("Config")).get("ExposedPorts"))))
    else:
        ports = _held(detail, host_config)
    return _claim(nano_cpus, host_config, ports)


def _claim(nano_cpus: int, host_config: Mapping[str, Any], ports: Iterable[HostPort]) -> Claim:
    devices = read_devices(host_config)
    return Claim(nano_cpus, _memory(host_config), tuple(ports), devices.gpus, devices.gpu_ids)


def count(value: Any) -> int:
    """*value* if it is a positive integer that an engine can store, otherwise 0."""
    return value if type(value) is int and 0 < value <= _LARGEST else 0


def _on_host_network(host_config: Mapping[str, Any]) -> bool:
    mode = host_config.get("NetworkMode")
    return isinstance(mode, str) and mode.rpartition("/")[2] == "host"


def _nano_cpus(host_config: Mapping[str, Any]) -> int:
    """The CPU limit of the container, in units of 1e-9 CPUs."""
    if nano_cpus := count(host_config.get("NanoCpus")):
        return nano_cpus
    period = count(host_config.get("CpuPeriod")) or _DEFAULT_PERIOD
    return count(host_config.get("CpuQuota")) * NANO // period


def _memory(host_config: Mapping[str, Any]) -> int:
    """The memory limit in bytes, or the reservation if there is no limit."""
    return count(host_config.get("Memory")) or count(host_config.get("MemoryReservation"))


# ---- ports


def _held(detail: Mapping[str, Any], host_config: Mapping[str, Any]) -> list[HostPort]:
    actual: list[tuple[str, HostPort]] = []
    if as_object(detail.get("State")).get("Running") is True:
        actual = _bound(as_object(detail.get("NetworkSettings")).get("Ports"))
    known = {inner for inner, _ in actual}
    asked = [
        (inner, port)
        for inner, port in _bound(host_config.get("PortBindings"))
        if port.first == port.last or inner not in known
    ]
    return [port for _, port in dict.fromkeys([*asked, *actual])]


def _bound(bindings: Any) -> list[tuple[str, HostPort]]:
    """The container's port (``80/tcp``) and the host's, for each binding with a host port.

    A port bound for both address families counts once; two container ports that ask for the same
    range get two of its ports.  A range of thousands of ports is one binding for each: this loop is
    the time that such a create takes.
    """
    found: dict[tuple[str, HostPort], None] = {}
    for key, hosts in as_object(bindings).items():
        number, protocol = _split(key)
        inner = f"{number}/{protocol}"
        for host in as_list(hosts):
            binding = as_object(host)
            host_port = binding.get("HostPort")
            first, last = _range(host_port) if isinstance(host_port, str) else (0, 0)
            if first:
                ip = binding.get("HostIp")
                found[inner, HostPort(first, last, protocol, _ip(ip) if ip else "")] = None
    return list(found)


def _exposed(exposed_ports: Mapping[str, Any]) -> Iterator[HostPort]:
    """On the host's network, a container listens on its own ports."""
    for key in exposed_ports:
        number, protocol = _split(key)
        first, last = _range(number)
        if first and first == last:
            yield HostPort(first, last, protocol)


def _split(port: str) -> tuple[str, str]:
    """``80`` and ``tcp`` for ``80``, ``80/`` and ``80/TCP``; further parts are ignored."""
    number, _, rest = port.partition("/")
    if rest == "tcp":  # nearly always; one text for all
        return number, "tcp"
    return number, rest.partition("/")[0].lower() or "tcp"


def _range(text: str) -> tuple[int, int]:
    """``8080`` or ``8000-8010`` as first and last port; zeros if no port is known.

    As engines do, ignores a protocol, which the container's port has already, and anything after a
    second ``-``.
    """
    if len(text) <= 5 and text.isascii() and text.isdigit():  # thousands may be asked for at once
        number = int(text)
        return (number, number) if 0 < number <= 65535 else (0, 0)
    first, *others = text.partition("/")[0].split("-")
    low, high = _port(first), _port(others[0] if others else first)
    return (low, high) if 0 < low <= high else (0, 0)


def _port(text: str) -> int:
    digits = text.lstrip("0")
    # Limited to five digits, as int() is slow for very long texts.
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 5
    return int(digits) if plain and int(digits) <= 65535 else 0


def _ip(value: Any) -> str:
    """An address in canonical form; empty for all addresses.

    Engines bind all addresses also if the text is not a plain address: ``localhost``,
    ``fe80::1%eth0``, ``127.1``."""
    return _spelling(value) if value and isinstance(value, str) else ""


@functools.lru_cache(maxsize=256)
def _spelling(text: str) -> str:
    address = None
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return ""
        # Go, and therefore engines, treats an IPv4-mapped address as the IPv4 address.
        address = address.ipv4_mapped or address
    return "" if address is None or str(address) in ANY_IP else str(address)


# ---- device requests


_CDI = "cdi"
_GPU = "gpu"
#: Drivers of GPUs; a request that names one needs no capabilities.
_GPU_DRIVERS = ("nvidia", "amd")
#: Capabilities of those drivers.  An engine assigns a request without a driver to the first driver
#: that has all capabilities of one alternative; an empty alternative fits any driver.
_GPU_CAPABILITIES = frozenset(
    {"amd", "compat32", "compute", "display", "gpu", "graphics", "ngx", "nvidia", "utility"}
    | {"video"}
)
#: Values that NVIDIA's runtime accepts instead of an id: for all GPUs, and for none.
_ALL, _NO_GPU = "all", ("", "none", "void")


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices that a container requests.

    Attributes:
        gpus: number of GPUs; ``ALL_GPUS`` for all.
        gpu_ids: GPUs by index or id.
        cdi: full names of CDI devices, including GPUs.
    """

    gpus: int = 0
    gpu_ids: tuple[str, ...] = ()
    cdi: tuple[str, ...] = ()


_NO_DEVICES = Devices()


def read_devices(host_config: Mapping[str, Any]) -> Devices:
    """Read the device requests; requests that engines will refuse count as empty.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    if not (requests := _requests(host_config)):  # nearly always
        return _NO_DEVICES
    gpus, ids, cdi = 0, list[str](), list[str]()
    for request in requests:
        if request.get("Driver") == _CDI:
            for name in as_texts(request.get("DeviceIDs")):
                cdi.append(name)
                kind, _, device = name.partition("=")
                if kind.rpartition("/")[2] != _GPU:
                    continue
                if device == _ALL:
                    gpus = ALL_GPUS
                else:
                    ids.append(device)
        elif _is_for_gpus(request):
            ids += [id for id in _gpu_ids(request) if id != _ALL]
            many = _count(request)
            gpus = ALL_GPUS if ALL_GPUS in (gpus, many) else gpus + many
    return Devices(gpus, tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(cdi)))


def with_named_gpus(host_config: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """A copy of *host_config* with GPU ids in place of numbers of GPUs.

    An engine that is asked for one GPU always uses its first one, even if it is taken.

    Args:
        host_config: in Docker's spelling.
        ids: as many ids as GPUs are requested in total.
    """
    rest = iter(ids)

    def named(request: Any) -> Any:
        many = _count(request) if isinstance(request, Mapping) and _is_for_gpus(request) else 0
        if not many:
            return request
        chosen = list(ids) if many == ALL_GPUS else list(islice(rest, many))
        return {**request, "Count": 0, "DeviceIDs": chosen}

    return {
        **host_config,
        "DeviceRequests": [named(each) for each in host_config["DeviceRequests"]],
    }


def _requests(host_config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return as_objects(host_config.get("DeviceRequests"))


def _is_for_gpus(request: Mapping[str, Any]) -> bool:
    """Whether a GPU driver may serve the request, by its driver or its capabilities."""
    if driver := request.get("Driver"):
        return driver in _GPU_DRIVERS or (driver != _CDI and _wants_gpu(request))
    alternatives = request.get("Capabilities")
    return _wants_gpu(request) or any(
        isinstance(each, list) and _GPU_CAPABILITIES.issuperset(as_texts(each))
        for each in as_list(alternatives)
    )


def _wants_gpu(request: Mapping[str, Any]) -> bool:
    """Whether an alternative in its capabilities has ``gpu``."""
    alternatives = request.get("Capabilities")
    return isinstance(alternatives, list) and any(
        isinstance(each, list) and _GPU in each for each in alternatives
    )


def _gpu_ids(request: Mapping[str, Any]) -> list[str]:
    """The ids in the request; engines join ids by commas, so one text may have several."""
    names = ",".join(as_texts(request.get("DeviceIDs"))).split(",")
    return [name for name in names if name not in _NO_GPU]


def _count(request: Mapping[str, Any]) -> int:
    """The number of GPUs; as for engines, a negative number means all.

    Engines refuse a number together with ids."""
    if request.get("DeviceIDs"):
        return ALL_GPUS if _ALL in _gpu_ids(request) else 0
    count = request.get("Count")
    return max(count, ALL_GPUS) if type(count) is int else 0
