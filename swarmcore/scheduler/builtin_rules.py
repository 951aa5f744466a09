"""The core's own rules: drained nodes, memory and CPUs, GPUs and devices, API versions.

They always apply, whatever strategy and filters are chosen.  Claims must hold
(``docs/decisions/0002-claims-and-rules.md``), a GPU has one container (``0007-devices.md``), and an
engine that would ignore a field of the create is not used (``container_config.version_gates``).
"""

from collections.abc import Callable, Iterator, Sequence

from swarmcore.container_config import ContainerConfig, Need
from swarmcore.model import ALL_GPUS, NANO, Claim
from swarmcore.node import Aspect, Node
from swarmcore.protocols import Refused, Rule
from swarmcore.sizes import show_bytes, show_cpus
from swarmcore.versions import ApiVersion


def is_full(rule: Rule, node: Node) -> bool:
    """Whether *node*, which *rule* refused, is merely full: it has room once containers end."""
    if rule.text not in ("memory", "cpu", "gpu"):
        return False
    return rule.never is None or rule.never([node]) is None


def _why_drained(text: str, refused: Refused) -> str:
    reasons = dict.fromkeys(reason for _, reason in refused.pairs if reason)
    return f"{text} ({', '.join(reasons)})" if reasons else text


#: The first rule: a drained node needs no further checks.
DRAINED = Rule(
    "drained",
    lambda node: None if node.drained is None else str(node.drained),
    summarise=_why_drained,
    key="drained",
    reads=(Aspect.HEALTH,),
)


def room_rules(claim: Claim) -> Iterator[Rule]:
    """Rules that a node has room for the memory and the CPUs of *claim*."""
    if claim.memory > 0:
        yield _room("memory", claim.memory, _free_memory, _all_memory, show_bytes)
    if claim.nano_cpus > 0:
        yield _room("cpu", claim.nano_cpus, _free_cpus, _all_cpus, show_cpus)


def why_no_room(claim: Claim, node: Node) -> str | None:
    """``memory (needs 2 GiB, 1 GiB free on n1)``; ``None`` if *node* has room for *claim*."""
    for rule in room_rules(claim):
        reason = rule.check(node)
        if reason is not None:
            return f"{rule.text} ({reason} on {node.name})"
    return None


def _room(
    what: str,
    needed: int,
    free: Callable[[Node], int],
    whole: Callable[[Node], int],
    show: Callable[[int], str],
) -> Rule:
    """A rule that *needed* of a resource is free."""

    def check(node: Node) -> str | None:
        left = free(node)
        return None if needed <= left else f"needs {show(needed)}, {show(left)} free"

    def summarise(text: str, refused: Refused) -> str:
        roomiest = max((node for node, _ in refused.pairs), key=free)
        left = f"most free {show(free(roomiest))} on {roomiest.name}"
        return f"{text} (needs {show(needed)}, {left})"

    def never(nodes: Sequence[Node]) -> str | None:
        largest = max(nodes, key=whole)
        if needed <= whole(largest):
            return None
        return f"{what}: no node has {show(needed)}, ask for {show(whole(largest))} at most"

    reads = (Aspect.MACHINE, Aspect.CONTAINERS)
    return Rule(what, check, summarise=summarise, never=never, key=(what, needed), reads=reads)


def _all_memory(node: Node) -> int:
    return node.total_memory


def _free_memory(node: Node) -> int:
    return max(node.total_memory - node.used_memory, 0)


def _all_cpus(node: Node) -> int:
    # One container cannot use more CPUs than the machine has, whatever the overcommit.
    return min(node.total_nano_cpus, node.cpus * NANO)


def _free_cpus(node: Node) -> int:
    return max(min(node.total_nano_cpus - node.used_nano_cpus, _all_cpus(node)), 0)


# ---- GPUs and devices


#: The API versions since which engines support the driver ``cdi``, and report CDI devices.
_CDI_KNOWN = ApiVersion(1, 44)
_CDI_TOLD = ApiVersion(1, 50)


def device_rules(config: ContainerConfig) -> Iterator[Rule]:
    """Rules for the devices that *config* requests."""
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

    return Rule(
        "gpu",
        check,
        summarise=summarise,
        never=never,
        key=("gpu", claim.gpus, claim.gpu_ids),
        reads=(Aspect.MACHINE, Aspect.CONTAINERS),
    )


def _why_lacking(claim: Claim, node: Node) -> str | None:
    """Why *node* could not satisfy *claim* even if all its GPUs were free; else ``None``."""
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
    """The container that holds a requested GPU, or how many GPUs are free; ``None`` if enough."""
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
        # It is unknown which GPU an alias refers to, so one more must be free.
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

    return Rule(f"device {name}", check, never=never, key=("device", name), reads=(Aspect.MACHINE,))


# ---- API versions


#: How many nodes' versions a refusal lists; further nodes are only counted.
_SPELLED_OUT = 3


def need_rules(config: ContainerConfig) -> Iterator[Rule]:
    """One rule for each field of *config* that requires some API version."""
    return map(_need, config.needs)


def _need(need: Need) -> Rule:
    def check(node: Node) -> str | None:
        spoken = node.api_version
        return None if spoken >= need.since else f"needs API {need.since}, has {spoken}"

    def summarise(text: str, refused: Refused) -> str:
        told = [f"{node.api_version} on {node.name}" for node, _ in refused.pairs[:_SPELLED_OUT]]
        more = f" and {rest} more" if (rest := len(refused.pairs) - _SPELLED_OUT) > 0 else ""
        return f"{text} needs API {need.since} (has {', '.join(told)}{more})"

    return Rule(
        need.field, check, summarise=summarise, key=("api", need.since), reads=(Aspect.MACHINE,)
    )
