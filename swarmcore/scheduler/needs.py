"""The core's rule about versions: an engine that would pass over a field is not asked.

Always on, as ``room``: whatever the filters are, a container is made as it was asked for or not at
all.  Which fields those are is ``config.gates``' matter.
"""

from collections.abc import Iterator

from swarmcore.config import ContainerConfig, Need
from swarmcore.node import Node
from swarmcore.protocols import Refused, Rule

#: Nodes whose versions a refusal spells out; the others are counted.
_SPELLED_OUT = 3


def need_rules(config: ContainerConfig) -> Iterator[Rule]:
    """One rule for each field of *config* that came with some API version."""
    return map(_need, config.needs)


def _need(need: Need) -> Rule:
    def check(node: Node) -> str | None:
        spoken = node.api_version
        return None if spoken >= need.since else f"needs API {need.since}, has {spoken}"

    def summarise(text: str, refused: Refused) -> str:
        told = [f"{node.api_version} on {node.name}" for node, _ in refused.pairs[:_SPELLED_OUT]]
        more = f" and {rest} more" if (rest := len(refused.pairs) - _SPELLED_OUT) > 0 else ""
        return f"{text} needs API {need.since} (has {', '.join(told)}{more})"

    return Rule(need.field, check, summarise=summarise)
