"""Labels that the manager gives networks, for what no engine keeps; clients do not see them.

A network that is made anew on another node has another id there.  Its former ids stay with it, so
that they lead to it also after the manager was started again.
"""

from collections.abc import Mapping
from typing import Any, Final

from swarmcore.json_values import as_object

#: The ids that a network had on other nodes, the first one first, separated by commas.
FORMER_IDS: Final = "com.docker.swarm.network.former-ids"
#: The client named no subnet, so the engine chose one; ``engine``.
SUBNET_BY: Final = "com.docker.swarm.network.subnet-by"
BY_ENGINE: Final = "engine"
_OWN = frozenset({FORMER_IDS, SUBNET_BY})

_Document = Mapping[str, Any]


def former_ids(network: _Document) -> tuple[str, ...]:
    """The ids by which *network* was known before it went to its node."""
    ids = as_object(network.get("Labels")).get(FORMER_IDS)
    return tuple(filter(None, ids.split(","))) if isinstance(ids, str) else ()


def has_subnet_of_engine(network: _Document) -> bool:
    """Whether the subnet of *network* is known to be its engine's choice."""
    return as_object(network.get("Labels")).get(SUBNET_BY) == BY_ENGINE


def has_own_labels(network: _Document) -> bool:
    """Whether *network* has labels that clients do not see."""
    return not _OWN.isdisjoint(as_object(network.get("Labels")))


def without_own_labels(network: _Document) -> _Document:
    """*network* as clients see it."""
    if not has_own_labels(network):
        return network
    labels = {key: value for key, value in network["Labels"].items() if key not in _OWN}
    return {**network, "Labels": labels}
