"""Published ports as clients see them: with an address that reaches the node, each port once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarmcore.model import ANY_IP


def shown_ip(bound: str, node_ip: str) -> str:
    """Return the address at which clients reach a port.

    Args:
        bound: the address that the port is bound to on its node.
        node_ip: the node's IP address.  It is empty for a unix socket or a name that is not
            resolved; then *bound* is returned, because clients refuse a document in which this
            field is not an IP address.
    """
    return node_ip if node_ip and bound in ANY_IP else bound


def show_summary_ports(
    ports: Iterable[Mapping[str, Any]] | None, node_ip: str
) -> list[dict[str, Any]]:
    """Return ``Ports`` of an object of ``GET /containers/json``.

    An engine lists a port once for each address family; with the node's address both are equal.
    """
    shown: list[dict[str, Any]] = []
    for port in ports or ():
        copy = dict(port)
        if "PublicPort" in copy:
            copy["IP"] = shown_ip(str(copy.get("IP") or ""), node_ip)
        if copy not in shown:
            shown.append(copy)
    return shown


def show_bindings(
    ports: Mapping[str, Sequence[Mapping[str, Any]] | None], node_ip: str
) -> dict[str, list[dict[str, Any]] | None]:
    """Return ``NetworkSettings.Ports`` of an inspect document."""
    shown: dict[str, list[dict[str, Any]] | None] = {}
    for port, bindings in ports.items():
        if bindings is None:
            shown[port] = None
            continue
        unique: list[dict[str, Any]] = []
        for binding in bindings:
            copy = {**binding, "HostIp": shown_ip(str(binding.get("HostIp") or ""), node_ip)}
            if copy not in unique:
                unique.append(copy)
        shown[port] = unique
    return shown
