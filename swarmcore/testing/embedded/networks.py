"""The networks and volumes of an embedded engine."""

from collections.abc import Callable, Mapping
from typing import Any

from swarmcore.errors import BadRequest, Conflict, Forbidden, NotFound
from swarmcore.testing.documents.networks import network_document, volume_document

#: The label of volumes with a made-up name.
ANONYMOUS = "com.docker.volume.anonymous"
#: The predefined networks, and their drivers.
PREDEFINED = {"bridge": "bridge", "host": "host", "none": "null"}


class NetworkStore:
    """Networks by id, and the addresses that are used in each.

    Args:
        new_id: returns 64 hex digits.
        moment: returns the current time in RFC 3339.
    """

    def __init__(self, new_id: Callable[[], str], moment: Callable[[], str]) -> None:
        self._new_id, self._moment = new_id, moment
        self._networks: dict[str, dict[str, Any]] = {}
        self._given: dict[str, int] = {}
        for name, driver in PREDEFINED.items():
            self._add(name, driver, {})

    def all(self) -> list[dict[str, Any]]:
        """Return the documents of all networks."""
        return list(self._networks.values())

    def find(self, name: str) -> dict[str, Any]:
        """Return a network by name, id or the beginning of an id.

        Raises:
            NotFound: there is no such network; the text is Docker's.
        """
        for network in self._networks.values():
            if name in (network["Name"], network["Id"]):
                return network
        for id, network in self._networks.items():
            if name and id.startswith(name):
                return network
        raise NotFound(f"network {name} not found")

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make a network.

        Raises:
            BadRequest: it has no name.
            Conflict: the name is taken.
        """
        name = str(body.get("Name") or "")
        if not name.strip():
            raise BadRequest("invalid name: name is empty")
        if any(network["Name"] == name for network in self._networks.values()):
            raise Conflict(f"network with name {name} already exists")
        return self._add(name, str(body.get("Driver") or "bridge"), body)

    def remove(self, name: str) -> dict[str, Any]:
        """Remove a network.

        Raises:
            NotFound: there is no such network.
            Forbidden: it is predefined, or containers use it.
        """
        network = self.find(name)
        if network["Name"] in PREDEFINED:
            raise Forbidden(f"{name} is a pre-defined network and cannot be removed")
        if network["Containers"]:
            raise Forbidden(
                f"error while removing network: network {network['Name']} has active endpoints"
            )
        return self._networks.pop(network["Id"])

    def give_address(self, network: Mapping[str, Any]) -> tuple[str, str]:
        """Return the next address on *network* and its gateway; empty if it has no addresses."""
        config = network["IPAM"]["Config"]
        if not config:
            return "", ""
        gateway = config[0]["Gateway"]
        number = self._given[network["Id"]] = self._given.get(network["Id"], 1) + 1
        prefix = gateway.rpartition(".")[0].rpartition(".")[0]
        return f"{prefix}.{number // 256 % 256}.{number % 256}", gateway

    def _add(self, name: str, driver: str, body: Mapping[str, Any]) -> dict[str, Any]:
        id = self._new_id()
        has_addresses = driver not in ("host", "null")
        octet = 17 + sum(1 for each in self._networks.values() if each["IPAM"]["Config"])
        network = network_document(
            id,
            name,
            created=self._moment(),
            driver=driver,
            subnet=f"172.{octet}.0.0/16" if has_addresses else "",
            gateway=f"172.{octet}.0.1" if has_addresses else "",
            body=body,
        )
        self._networks[id] = network
        return network


class VolumeStore:
    """Volumes by name.

    Args:
        new_id: returns 64 hex digits.
        moment: returns the current time in RFC 3339.
    """

    def __init__(self, new_id: Callable[[], str], moment: Callable[[], str]) -> None:
        self._new_id, self._moment = new_id, moment
        self._volumes: dict[str, dict[str, Any]] = {}

    def all(self) -> list[dict[str, Any]]:
        """Return the documents of all volumes."""
        return list(self._volumes.values())

    def find(self, name: str) -> dict[str, Any]:
        """Return a volume by name.

        Raises:
            NotFound: there is no such volume; the text is Docker's.
        """
        if name not in self._volumes:
            raise NotFound(f"get {name}: no such volume")
        return self._volumes[name]

    def create(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Make a volume, or find the existing one; return it, and whether it is new."""
        name = str(body.get("Name") or "")
        if not name:
            name = self._new_id()
            body = {**body, "Labels": {**(body.get("Labels") or {}), ANONYMOUS: ""}}
        new = name not in self._volumes
        if new:
            self._volumes[name] = volume_document(name, created=self._moment(), body=body)
        return self._volumes[name], new

    def remove(self, name: str, users: list[str]) -> None:
        """Remove a volume.

        Raises:
            NotFound: there is no such volume.
            Conflict: containers use it.
        """
        self.find(name)
        if users:
            raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
        del self._volumes[name]
