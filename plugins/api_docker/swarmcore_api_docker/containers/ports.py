"""Published ports as clients must see them: with the engine's address, each one once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarmcore.model import ANY_IP


def shown_ip(bound: str, node_ip: str) -> str:
    """The address that reaches a port bound to *bound* on a node at *node_ip*.

    A node without an address (a unix socket, a name that is not resolved) changes nothing: clients
    read this field as a strict IP address and would refuse the whole document.
    """
    return node_ip if node_ip and bound in ANY_IP else bound


def show_summary_ports(
    ports: Iterable[Mapping[str, Any]] | None, node_ip: str
) -> list[dict[str, Any]]:
    """``Ports`` of a ``GET /containers/json`` object, as shown.

    An engine lists a port once per address family; after the rewrite both are one.
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
    """``NetworkSettings.Ports`` of an inspect document, as shown."""
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
