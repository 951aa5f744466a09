"""The documents of networks and volumes."""

from collections.abc import Mapping
from typing import Any


def network_document(
    id: str,
    name: str,
    *,
    created: str,
    driver: str = "bridge",
    subnet: str = "",
    gateway: str = "",
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document of ``GET /networks/{id}``.

    Args:
        id: 64 hex digits.
        name: the name in the create.
        created: RFC 3339.
        driver: ``bridge``, ``host``, ``null`` or another.
        subnet, gateway: the addresses; empty if the driver has none.
        body: the body of ``POST /networks/create``, for labels, options and so on.
    """
    asked = body or {}
    addresses = [{"Subnet": subnet, "Gateway": gateway}] if subnet else None
    return {
        "Name": name,
        "Id": id,
        "Created": created,
        "Scope": "local",
        "Driver": driver,
        "EnableIPv4": True,
        "EnableIPv6": bool(asked.get("EnableIPv6")),
        "IPAM": {"Driver": "default", "Options": None, "Config": addresses},
        "Internal": bool(asked.get("Internal")),
        "Attachable": bool(asked.get("Attachable")),
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {},
        "Options": dict(asked.get("Options") or {}),
        "Labels": dict(asked.get("Labels") or {}),
    }


def volume_document(name: str, *, created: str, body: Mapping[str, Any] | None = None) -> Any:
    """Return the document of ``GET /volumes/{name}``.

    Args:
        name: the name in the create.
        created: RFC 3339, whole seconds.
        body: the body of ``POST /volumes/create``.
    """
    asked = body or {}
    return {
        "CreatedAt": created,
        "Driver": asked.get("Driver") or "local",
        "Labels": asked.get("Labels"),
        "Mountpoint": f"/var/lib/docker/volumes/{name}/_data",
        "Name": name,
        "Options": asked.get("DriverOpts") or None,
        "Scope": "local",
    }
