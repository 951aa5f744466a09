"""IP addresses of published ports in a cluster.

Some clients publish ports on the address in ``DOCKER_HOST`` (JupyterHub's DockerSpawner does so by
default).  In a cluster that is the manager's address, which no engine has, so it is replaced by the
address of the node.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from swarmcore.json_values import as_object, as_objects


def manager_address(host: str) -> str:
    """The IP address by which a client reached the manager, in canonical form.

    Args:
        host: the ``Host`` header, with or without a port.

    Returns:
        The address; empty for a host name, and for a loopback or unspecified address, which are
        not replaced.
    """
    name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0]
    found = _address(name)
    return "" if found is None or found.is_loopback or found.is_unspecified else str(found)


def bound_to(host_config: Mapping[str, Any], asked: str, own: str) -> dict[str, Any]:
    """A copy of ``HostConfig`` with ports bound to *own* instead of *asked*.

    Args:
        host_config: in Docker's spelling.
        asked: the manager's address; see ``manager_address``.
        own: an address of the node; empty for all its addresses.
    """
    bindings = host_config.get("PortBindings")
    if not asked or not isinstance(bindings, Mapping):
        return dict(host_config)
    moved = {
        port: [_moved(binding, asked, own) for binding in hosts]
        if isinstance(hosts, list)
        else hosts
        for port, hosts in bindings.items()
    }
    return {**host_config, "PortBindings": moved}


def loopback_ports(host_config: Any) -> tuple[str, ...]:
    """Ports (``80/tcp``) published on a loopback address, reachable only from their node."""
    bindings = as_object(as_object(host_config).get("PortBindings"))
    return tuple(str(port) for port, hosts in bindings.items() if any(_loopback_addresses(hosts)))


def is_elsewhere(ip: str) -> bool:
    """Whether *ip* is the known address of a machine other than the manager's."""
    found = _address(ip)
    return found is not None and not found.is_loopback


def _moved(binding: Any, asked: str, own: str) -> Any:
    found = _address(as_object(binding).get("HostIp"))
    return {**binding, "HostIp": own} if str(found) == asked else binding


def _loopback_addresses(hosts: Any) -> Iterator[str]:
    for host in as_objects(hosts):
        found = _address(host.get("HostIp"))
        if found is not None and found.is_loopback:
            yield str(found)


def _address(text: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None
