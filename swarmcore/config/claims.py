"""What a container takes from its node: read from a create body, or from an engine's inspection.

A number that is not what Docker's API asks for (text, a fraction, below zero) claims nothing: the
engine will refuse it, in its own words.
"""

import contextlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from swarmcore.config.devices import read_devices
from swarmcore.config.folding import with_known_spelling
from swarmcore.json_values import as_list, as_object
from swarmcore.model import ANY_IP, NANO, Claim, HostPort

_DEFAULT_PERIOD = 100_000
_LARGEST = 2**63 - 1
#: Fields of an update that change a claim.
_UPDATED = ("CpuPeriod", "CpuQuota", "CpuShares", "Memory", "MemoryReservation", "NanoCpus")
#: CPU shares that stand for all CPUs of a node, where shares mean CPUs.
SHARES = 1024


def claim_of_body(host_config: Mapping[str, Any], exposed_ports: Mapping[str, Any]) -> Claim:
    """What a create asks for.

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
    """What an existing container will take once it was updated.

    Args:
        detail: as for ``claim_of``.
        changes: the body of ``POST /containers/{id}/update``; names of fields in any case.  As to
            an engine, a zero changes nothing.
        cpus, cpu_shares_are_cpus: as for ``claim_of``.

    Raises:
        BadRequest: two keys are one field.
    """
    given = with_known_spelling(changes, _UPDATED)
    changed = {field: given[field] for field in _UPDATED if given.get(field)}
    updated = {**detail, "HostConfig": {**as_object(detail.get("HostConfig")), **changed}}
    return claim_of(updated, cpus, cpu_shares_are_cpus=cpu_shares_are_cpus)


def claim_of(detail: Mapping[str, Any], cpus: int, *, cpu_shares_are_cpus: bool = False) -> Claim:
    """What an existing container takes.

    CPU, memory, GPUs and fixed ports count in every state, for it may be started again at any
    time; a port that the engine chose counts while the container has it.

    Args:
        detail: its ``GET /containers/{id}/json``.
        cpus: of its node.
        cpu_shares_are_cpus: ``CpuShares`` are 1024ths of all CPUs of the node, as classic sent
            them.
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
    """*value* if it is a JSON integer from 1 to what an engine can hold, else 0."""
    return value if type(value) is int and 0 < value <= _LARGEST else 0


def _on_host_network(host_config: Mapping[str, Any]) -> bool:
    mode = host_config.get("NetworkMode")
    return isinstance(mode, str) and mode.rpartition("/")[2] == "host"


def _nano_cpus(host_config: Mapping[str, Any]) -> int:
    """CPUs that the kernel will limit the container to."""
    if nano_cpus := count(host_config.get("NanoCpus")):
        return nano_cpus
    period = count(host_config.get("CpuPeriod")) or _DEFAULT_PERIOD
    return count(host_config.get("CpuQuota")) * NANO // period


def _memory(host_config: Mapping[str, Any]) -> int:
    """The limit; without one, what the container is promised under pressure."""
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
    """The container's port (``80/tcp``) and the host's, of every binding that names the latter.

    Once for both families of addresses; two container ports that ask for one range get two of it.
    """
    return list(dict.fromkeys(_bindings(bindings)))


def _bindings(bindings: Any) -> Iterator[tuple[str, HostPort]]:
    for key, hosts in as_object(bindings).items():
        number, protocol = _split(key)
        for host in as_list(hosts):
            host_port = as_object(host).get("HostPort")
            first, last = _range(host_port) if isinstance(host_port, str) else (0, 0)
            if first:
                ip = _ip(as_object(host).get("HostIp"))
                yield f"{number}/{protocol}", HostPort(first, last, protocol, ip)


def _exposed(exposed_ports: Mapping[str, Any]) -> Iterator[HostPort]:
    """On the host's network a container listens on its own ports."""
    for key in exposed_ports:
        number, protocol = _split(key)
        first, last = _range(number)
        if first and first == last:
            yield HostPort(first, last, protocol)


def _split(port: str) -> tuple[str, str]:
    """``80`` and ``tcp`` of ``80``, ``80/`` and ``80/TCP``; engines pass over more than that."""
    number, _, rest = port.partition("/")
    return number, rest.partition("/")[0].lower() or "tcp"


def _range(text: str) -> tuple[int, int]:
    """``8080`` or ``8000-8010``; zeros for anything else, which binds nothing that is known now.

    As engines do, passes over a protocol behind it, which the container's port has already, and
    over what follows a second ``-``.
    """
    first, *others = text.partition("/")[0].split("-")
    low, high = _port(first), _port(others[0] if others else first)
    return (low, high) if 0 < low <= high else (0, 0)


def _port(text: str) -> int:
    digits = text.lstrip("0")
    # A port of more than five digits is none; int() of very many would take its time.
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 5
    return int(digits) if plain and int(digits) <= 65535 else 0


def _ip(value: Any) -> str:
    """One spelling for each address; the empty text for all of a host's, which engines bind also
    where the text is no address: ``localhost``, ``fe80::1%eth0``, ``127.1``."""
    address = None
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(value if isinstance(value, str) else "")
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return ""
        # Engines, as all that is written in Go, take a mapped address for the IPv4 one in it.
        address = address.ipv4_mapped or address
    return "" if address is None or str(address) in ANY_IP else str(address)
