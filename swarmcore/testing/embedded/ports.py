"""The host ports of an embedded engine.  They are only recorded; nothing listens on them."""

from collections.abc import Iterable, Mapping
from typing import Any

from swarmcore.errors import SwarmError
from swarmcore.model import ANY_IP, HostPort
from swarmcore.testing.documents.containers import bindings_of

#: The range from which Linux chooses ports.
_EPHEMERAL = range(32768, 61000)


class PortTaken(SwarmError):
    """A host port cannot be bound; Docker answers 500, with this text at the end of the error."""


def publish(
    config: Mapping[str, Any], host_config: Mapping[str, Any], taken: Iterable[HostPort]
) -> dict[str, list[dict[str, str]] | None]:
    """Choose the host ports of a container that starts.

    Args:
        config, host_config: the container's ``Config`` and ``HostConfig``.
        taken: the ports of running containers.

    Returns:
        ``NetworkSettings.Ports``.

    Raises:
        PortTaken: a port in the request is not free.
    """
    held: dict[int, list[HostPort]] = {}
    for port in taken:
        held.setdefault(port.first, []).append(port)
    ports: dict[str, list[dict[str, str]] | None] = dict.fromkeys(config.get("ExposedPorts") or ())
    asked = list(bindings_of(host_config))
    if host_config.get("PublishAllPorts"):
        bound = {key for key, _, _ in asked}
        asked += [(key, "", "") for key in ports if key not in bound]
    for key, ip, wanted in asked:
        protocol = key.partition("/")[2]
        port = _choose(wanted, protocol, ip, held)
        held.setdefault(port.first, []).append(port)
        addresses = ("0.0.0.0", "::") if ip in ANY_IP else (ip,)
        bindings = [{"HostIp": address, "HostPort": str(port.first)} for address in addresses]
        ports[key] = [*(ports.get(key) or ()), *bindings]
    return ports


def held_ports(ports: Mapping[str, Any]) -> Iterable[HostPort]:
    """Yield the host ports in ``NetworkSettings.Ports``."""
    for key, bindings in ports.items():
        for binding in bindings or ():
            number = int(binding["HostPort"])
            yield HostPort(number, number, key.partition("/")[2], binding["HostIp"])


def _choose(wanted: str, protocol: str, ip: str, held: Mapping[int, list[HostPort]]) -> HostPort:
    first, _, last = wanted.partition("-")
    numbers = range(int(first), int(last or first) + 1) if first not in ("", "0") else _EPHEMERAL
    for number in numbers:
        port = HostPort(number, number, protocol, ip)
        if not any(port.clashes(other) for other in held.get(number, ())):
            return port
    shown = f"{ip or '0.0.0.0'}:{first}"
    raise PortTaken(f"Bind for {shown} failed: port is already allocated")
