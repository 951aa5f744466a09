"""The core's own rules: a node takes no more than it has, and nothing while it is drained.

Always on, whatever the strategy and the filters are: claims must hold (``docs/decisions/0002``).
"""

from collections.abc import Callable, Iterator, Sequence

from swarmcore.model import NANO, Claim
from swarmcore.node import Node
from swarmcore.protocols import Refused, Rule
from swarmcore.sizes import show_bytes, show_cpus


def is_full(rule: Rule, node: Node) -> bool:
    """Whether *node*, which *rule* refuses, is only full: once others end it has room."""
    if rule.text not in ("memory", "cpu", "gpu"):
        return False
    return rule.never is None or rule.never([node]) is None


def _why_drained(text: str, refused: Refused) -> str:
    reasons = dict.fromkeys(reason for _, reason in refused.pairs if reason)
    return f"{text} ({', '.join(reasons)})" if reasons else text


#: Asked first: a node that takes nothing needs no further question.
DRAINED = Rule(
    "drained",
    lambda node: None if node.drained is None else str(node.drained),
    summarise=_why_drained,
)


def room_rules(claim: Claim) -> Iterator[Rule]:
    """Room for the memory and CPUs of *claim*; no rule about what it does not have."""
    if claim.memory > 0:
        yield _room("memory", claim.memory, _free_memory, _all_memory, show_bytes)
    if claim.nano_cpus > 0:
        yield _room("cpu", claim.nano_cpus, _free_cpus, _all_cpus, show_cpus)


def why_no_room(claim: Claim, node: Node) -> str | None:
    """``memory (needs 2 GiB, 1 GiB free on n1)``; ``None`` where *node* has room for *claim*."""
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
    """A rule that *needed* of something is free, worded with what there is."""

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

    return Rule(what, check, summarise=summarise, never=never)


def _all_memory(node: Node) -> int:
    return node.total_memory


def _free_memory(node: Node) -> int:
    return max(node.total_memory - node.used_memory, 0)


def _all_cpus(node: Node) -> int:
    # One container cannot have more CPUs than there are, however many may be promised in all.
    return min(node.total_nano_cpus, node.cpus * NANO)


def _free_cpus(node: Node) -> int:
    return max(min(node.total_nano_cpus - node.used_nano_cpus, _all_cpus(node)), 0)
