"""Addresses that published ports are bound to: what a client means by them in a cluster.

Clients read the address of their daemon off ``DOCKER_HOST`` and publish ports on it (JupyterHub's
DockerSpawner does by default).  Before a cluster that is the manager's address, which no engine
has: each node's own is meant.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from swarmcore.json_values import as_object, as_objects


def manager_address(host: str) -> str:
    """The address by which a client reaches the manager, in one spelling.

    Args:
        host: its ``Host`` header, with or without a port.

    Returns:
        An IP address; empty for a name, and for loopback, which means loopback.
    """
    name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0]
    found = _address(name)
    return "" if found is None or found.is_loopback or found.is_unspecified else str(found)


def bound_to(host_config: Mapping[str, Any], asked: str, own: str) -> dict[str, Any]:
    """A copy of ``HostConfig`` whose ports are bound to *own* instead of *asked*.

    Args:
        host_config: in Docker's spelling.
        asked: the manager's address, as :func:`manager_address` has it.
        own: an address of the node; empty for all that it has.
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
    """Ports (``80/tcp``) that are published on loopback, which only their node reaches."""
    bindings = as_object(as_object(host_config).get("PortBindings"))
    return tuple(str(port) for port, hosts in bindings.items() if any(_loopback_addresses(hosts)))


def is_elsewhere(ip: str) -> bool:
    """Whether a node at *ip* is another machine than the manager's, as far as that is known."""
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
