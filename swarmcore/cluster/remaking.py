"""The create of a network or a volume that is to be as one that exists.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from swarmcore.config.network_labels import FORMER_IDS, former_ids, has_subnet_of_engine
from swarmcore.json_values import as_object

_Document = Mapping[str, Any]
#: Fields of an inspected network that a create takes as they are.
_KEPT = (
    "Name", "Driver", "EnableIPv4", "EnableIPv6", "Internal", "Attachable", "Options",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remake:
    """How to make something anew.

    Attributes:
        create: the path of the create.
        body: its body.
        key: the id of the network that is there, or the name of the volume.
        path: of the same.
        undo: of the object that was made.
    """

    create: str
    body: _Document
    key: str
    path: str
    undo: str


def remake_network(network: _Document) -> Remake:
    """As the inspected *network* is; it keeps its former ids, and this one, in a label.

    A subnet that its engine chose may be taken where it goes, so the next engine chooses again.
    """
    ipam = dict(as_object(network.get("IPAM")))
    if has_subnet_of_engine(network):
        ipam.pop("Config", None)
    id = str(network["Id"])
    labels = {**as_object(network.get("Labels")), FORMER_IDS: ",".join((*former_ids(network), id))}
    body = {key: network[key] for key in _KEPT if network.get(key) is not None}
    body |= {"IPAM": ipam, "Labels": labels, "CheckDuplicate": True}
    return Remake(
        create="/networks/create",
        body=body,
        key=id,
        path=f"/networks/{id}",
        undo=f"/networks/{quote(str(network['Name']), safe='')}",
    )


def remake_volume(volume: _Document) -> Remake:
    """As the inspected *volume* is."""
    name = str(volume["Name"])
    path = f"/volumes/{quote(name, safe='')}"
    body = {
        "Name": name,
        "Driver": volume.get("Driver"),
        "DriverOpts": volume.get("Options"),
        "Labels": volume.get("Labels"),
    }
    return Remake("/volumes/create", body, key=name, path=path, undo=path)
