"""The core's rules about devices: a GPU has one container, and a device must be there.

Always on, as ``room``: see ``docs/decisions/0007``.
"""

from collections.abc import Iterator, Sequence

from swarmcore.config import ContainerConfig
from swarmcore.model import ALL_GPUS, Claim
from swarmcore.node import Node
from swarmcore.protocols import Refused, Rule
from swarmcore.versions import ApiVersion

#: Engines have known the driver ``cdi`` from here, and have told which devices it found from there.
_CDI_KNOWN = ApiVersion(1, 44)
_CDI_TOLD = ApiVersion(1, 50)


def device_rules(config: ContainerConfig) -> Iterator[Rule]:
    """Rules for the devices that *config* asks for."""
    for name in config.devices:
        yield _cdi_rule(name)
    if config.claim.gpus or config.claim.gpu_ids:
        yield _gpu_rule(config.claim)


def _gpu_rule(claim: Claim) -> Rule:
    def check(node: Node) -> str | None:
        return _why_lacking(claim, node) or _why_taken(claim, node)

    def nearness(node: Node) -> tuple[int, int]:
        return sum(node.gpus.find(name) is not None for name in claim.gpu_ids), len(node.free_gpus)

    def summarise(text: str, refused: Refused) -> str:
        node, reason = max(refused.pairs, key=lambda pair: nearness(pair[0]))
        alike = len({reason for _, reason in refused.pairs}) == 1 < len(refused.pairs)
        return f"{text} ({reason})" if alike else f"{text} ({reason} on {node.name})"

    def never(nodes: Sequence[Node]) -> str | None:
        if any(_why_lacking(claim, node) is None for node in nodes):
            return None
        for name in claim.gpu_ids:
            if all(node.gpus.find(name) is None for node in nodes):
                return f"gpu: no node has {name}"
        most = max(len(node.gpus.ids or ()) for node in nodes)
        return f"gpu: ask for {most} at most" if most else "gpu: no node has any"

    return Rule("gpu", check, summarise=summarise, never=never)


def _why_lacking(claim: Claim, node: Node) -> str | None:
    """What *node* does not have, whoever holds its GPUs."""
    stock = node.gpus
    if stock.ids is None:
        return None
    if not stock.ids:
        needed = _number(claim) if claim.gpus else ", ".join(claim.gpu_ids)
        return f"needs {needed}, there is none"
    for name in claim.gpu_ids:
        if stock.find(name) is None:
            return f"there is no {name} among {len(stock.ids)}"
    few = claim.gpus > len(stock.ids)
    return f"needs {_number(claim)}, there are {len(stock.ids)}" if few else None


def _why_taken(claim: Claim, node: Node) -> str | None:
    """Who, or how many, are in the way where *node* has what is asked for."""
    stock = node.gpus
    if not stock.counted:
        return None
    asked = {name: stock.find(name) for name in claim.gpu_ids}
    holders = node.gpu_holders if asked else {}
    for name, id in asked.items():
        if id is not None and id in holders:
            return f"{name} taken by {holders[id]}"
    total = len(stock.counted)
    if claim.gpus == ALL_GPUS:
        free, needed = len(node.free_gpus), total
    else:
        free = sum(id not in asked.values() for id in node.free_gpus)
        # Which GPU an alias means is unknown: it may be any that is free.
        needed = claim.gpus + len(stock.aliases.intersection(asked))
    if needed <= free:
        return None
    return f"needs {_number(claim) if claim.gpus else needed}, {free} free of {total}"


def _number(claim: Claim) -> str:
    return "all" if claim.gpus == ALL_GPUS else str(claim.gpus)


def _cdi_rule(name: str) -> Rule:
    def check(node: Node) -> str | None:
        if node.api_version < _CDI_KNOWN:
            return f"needs API {_CDI_KNOWN}, has {node.api_version}"
        if node.api_version < _CDI_TOLD:
            return None
        return None if name in node.cdi_devices else "not there"

    def never(nodes: Sequence[Node]) -> str | None:
        return f"no node has the device {name}"

    return Rule(f"device {name}", check, never=never)
