"""The core's rules about devices: a GPU has one container, and a device must be there.

Always on, as ``room``: see ``docs/decisions/0007``.
"""

from collections.abc import Iterator

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
        return _why_no_gpus(claim, node)

    def nearness(node: Node) -> tuple[int, int]:
        return sum(node.gpus.find(name) is not None for name in claim.gpu_ids), len(node.free_gpus)

    def summarise(text: str, refused: Refused) -> str:
        node, reason = max(refused.pairs, key=lambda pair: nearness(pair[0]))
        alike = len({reason for _, reason in refused.pairs}) == 1 < len(refused.pairs)
        return f"{text} ({reason})" if alike else f"{text} ({reason} on {node.name})"

    return Rule("gpu", check, summarise=summarise)


def _why_no_gpus(claim: Claim, node: Node) -> str | None:
    stock, needed = node.gpus, "all" if claim.gpus == ALL_GPUS else str(claim.gpus)
    if stock.ids is None:
        return None
    if not stock.ids:
        return f"needs {needed if claim.gpus else ', '.join(claim.gpu_ids)}, there is none"
    found = {name: stock.find(name) for name in claim.gpu_ids}
    for name, id in found.items():
        if id is None:
            return f"there is no {name} among {len(stock.ids)}"
    if stock.shared:
        few = claim.gpus > len(stock.ids)
        return f"needs {needed}, there are {len(stock.ids)}" if few else None
    holders = node.gpu_holders
    for name, id in found.items():
        if id is not None and id in holders:
            return f"{name} taken by {holders[id]}"
    free = [id for id in node.free_gpus if id not in found.values()]
    # Which GPU an alias means is unknown: it may be any that is free.
    wanted = len(stock.aliases.intersection(found)) + claim.gpus
    if claim.gpus == ALL_GPUS:
        wanted = len(stock.ids)
    return None if wanted <= len(free) else f"needs {needed}, {len(free)} free of {len(stock.ids)}"


def _cdi_rule(name: str) -> Rule:
    def check(node: Node) -> str | None:
        if node.api_version < _CDI_KNOWN:
            return f"needs API {_CDI_KNOWN}, has {node.api_version}"
        if node.api_version < _CDI_TOLD:
            return None
        return None if name in node.cdi_devices else "not there"

    return Rule(f"device {name}", check)
