"""The GPUs of one machine, and the containers that hold them.

A claim has GPU ids, or a number of GPUs, which stands for the first ones of the machine, as engines
assign them.  It is resolved when it is needed, as operators may rename GPUs at any time.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swarmcore.json_values import as_object, as_objects
from swarmcore.model import ALL_GPUS, Claim

#: Labels: the number or the ids of a node's GPUs, and whether containers may share them.
GPUS_LABEL = "swarm.gpus"
SHARED_LABEL = "swarm.gpus.shared"

_GPU = "gpu"
_NUMBER = re.compile(r"[0-9]{1,9}")
#: ``0``, or ``0:1`` for a part of a divided GPU (MIG).
_INDEX = re.compile(r"[0-9]{1,9}(:[0-9]{1,9})?")
#: Upper limit of a machine's GPUs, so that a typing error does not create a huge list.
_MOST = 4096


@dataclass(frozen=True, slots=True)
class GpuStock:
    """The GPUs of one machine.

    Attributes:
        ids: the engine's names of the GPUs, in the machine's order; ``None`` if there are GPUs and
            their number is unknown, so that they are not counted.
        aliases: further names of GPUs; which GPU an alias refers to is unknown.
        shared: whether several containers may have the same GPU.
    """

    ids: tuple[str, ...] | None = ()
    aliases: frozenset[str] = frozenset()
    shared: bool = False

    @property
    def counted(self) -> tuple[str, ...]:
        """The GPUs that only one container at a time may hold."""
        return () if self.ids is None or self.shared else self.ids

    def find(self, name: str) -> str | None:
        """Resolve a GPU by id, by a unique prefix of an id, or by position if ids are not numeric;
        ``None`` if there is no such GPU."""
        ids = self.ids or ()
        if name in ids or name in self.aliases:
            return name
        if _NUMBER.fullmatch(name):
            by_id = int(name) < len(ids) and not any(map(_INDEX.fullmatch, ids))
            return ids[int(name)] if by_id else None
        found = [id for id in ids if id.startswith(name)]
        return found[0] if len(found) == 1 else None


def read_stock(labels: Mapping[str, str], info: Mapping[str, Any]) -> GpuStock:
    """Determine a node's GPUs from the first source that has them.

    The sources: the label ``swarm.gpus`` (a number, or ids separated by commas in the machine's
    order); the engine's ``--node-generic-resource`` of a kind that ends in ``gpu``; CDI devices
    ``VENDOR/gpu`` (API 1.50); the runtime ``nvidia``, which does not tell the number.
    """
    shared = labels.get(SHARED_LABEL, "").lower() in ("1", "true")
    aliases: frozenset[str] = frozenset()
    ids: tuple[str, ...] | None
    if GPUS_LABEL in labels:
        ids = _ids_of_text(labels[GPUS_LABEL])
    elif not (ids := tuple(_generic(info))):
        ids, aliases = _discovered(info)
        if not ids and "nvidia" in as_object(info.get("Runtimes")):
            ids = None
    return GpuStock(ids, aliases, shared)


def found_devices(info: Mapping[str, Any]) -> Collection[str]:
    """Full names of the CDI devices that the engine discovered (API 1.50)."""
    return {str(device.get("ID")) for device in as_objects(info.get("DiscoveredDevices"))}


def _ids_of_text(text: str) -> tuple[str, ...]:
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return tuple(_indices(int(text)))
    return tuple(dict.fromkeys(id for each in text.split(",") if (id := each.strip())))


def _generic(info: Mapping[str, Any]) -> Iterator[str]:
    for resource in as_objects(info.get("GenericResources")):
        named = as_object(resource.get("NamedResourceSpec"))
        many = as_object(resource.get("DiscreteResourceSpec"))
        if _is_gpu(named.get("Kind")) and isinstance(named.get("Value"), str):
            yield named["Value"]
        elif _is_gpu(many.get("Kind")) and type(many.get("Value")) is int:
            yield from _indices(many["Value"])


def _is_gpu(kind: Any) -> bool:
    return isinstance(kind, str) and kind.lower().endswith(_GPU)


def _discovered(info: Mapping[str, Any]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The ids and aliases; NVIDIA's toolkit lists GPUs by index, by id, or by both."""
    found = (name.partition("=") for name in found_devices(info))
    names = {name for kind, _, name in found if kind.endswith(f"/{_GPU}") and name != "all"}
    indices = [name for name in names if _INDEX.fullmatch(name)]
    if not indices:
        return tuple(sorted(names)), frozenset()
    indices.sort(key=lambda index: [int(part) for part in index.split(":")])
    return tuple(indices), frozenset(names.difference(indices))


def _indices(count: int) -> Iterable[str]:
    return map(str, range(min(count, _MOST)))


@dataclass(slots=True)
class GpuTable:
    """The GPUs of one machine that containers hold."""

    _held: list[tuple[Claim, str]] = field(default_factory=list)

    def take(self, claim: Claim, holder: str) -> None:
        """Add the GPUs of *claim*, if any."""
        if claim.gpus or claim.gpu_ids:
            self._held.append((claim, holder))

    def give_back(self, claim: Claim, holder: str) -> None:
        """Undo one ``take`` with the same arguments."""
        if claim.gpus or claim.gpu_ids:
            self._held.remove((claim, holder))

    def holders(self, stock: GpuStock) -> dict[str, str]:
        """GPU -> name of the container that holds it; includes aliases."""
        holders: dict[str, str] = {}
        for claim, holder in self._held:
            for id in _named(claim, stock):
                holders.setdefault(id, holder)
        return holders

    def free(self, stock: GpuStock) -> Sequence[str]:
        """The GPUs that are not held, less one for each held alias, whose GPU is unknown."""
        holders = self.holders(stock)
        free = [id for id in stock.counted if id not in holders]
        elsewhere = sum(id not in stock.counted for id in holders)
        return free[: max(len(free) - elsewhere, 0)]


def _named(claim: Claim, stock: GpuStock) -> Iterator[str]:
    if claim.gpus:
        many = None if claim.gpus == ALL_GPUS else claim.gpus
        yield from stock.counted[:many]
    if stock.counted:
        yield from (stock.find(name) or name for name in claim.gpu_ids)
