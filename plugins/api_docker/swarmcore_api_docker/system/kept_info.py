"""The answer to ``GET /info``, kept encoded until something in it changes.

Only the manager's time is inserted for each request.
"""

import secrets
from typing import Any

from swarmcore.http.messages import dump_json
from swarmcore.node import Node
from swarmcore.protocols import Cluster
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.system.info import describe_info
from swarmcore_api_docker.system.version import ManagerFacts

#: Stands for the time in a kept document; no text of an engine can contain it.
_TIME = secrets.token_hex(16)


class KeptInfo:
    """Keeps one answer for each API version of clients.

    Args:
        manager: the manager that answers.
        classic: show releases and sums as Swarm classic did.
    """

    def __init__(self, manager: ManagerFacts, *, classic: bool = False) -> None:
        self._manager = manager
        self._classic = classic
        self._made_of: tuple[Any, ...] = ()
        self._kept: dict[ApiVersion, tuple[bytes, bytes]] = {}

    def encoded(self, cluster: Cluster, now: str, version: ApiVersion) -> bytes:
        """Return the encoded document.

        Args:
            cluster: the cluster.
            now: the manager's time, in RFC 3339.
            version: the client's API version.
        """
        if cluster.waiting():  # for how long is shown
            return self._make(cluster, now, version)
        made_of = _made_of(cluster)
        if made_of != self._made_of:
            self._made_of = made_of
            self._kept.clear()
        kept = self._kept.get(version)
        if kept is None:
            before, _, after = self._make(cluster, _TIME, version).partition(_TIME.encode())
            kept = self._kept[version] = before, after
        return kept[0] + now.encode() + kept[1]

    def _make(self, cluster: Cluster, now: str, version: ApiVersion) -> bytes:
        document = describe_info(cluster, self._manager, now, version, classic=self._classic)
        return dump_json(document)


def _made_of(cluster: Cluster) -> tuple[Any, ...]:
    """Return the values from which the document is made; if they are equal, so is the document."""
    return (
        cluster.engines(),
        cluster.is_primary,
        cluster.primary,
        cluster.discovery.error,
        tuple(cluster.discovery.problems),
        cluster.listeners,
        *map(_shown_of, cluster.nodes()),
    )


def _shown_of(node: Node) -> tuple[Any, ...]:
    return (
        node.id,
        node.name,
        node.address,
        node.state,
        node.failures,
        node.error,
        node.drained,
        node.container_changes,
        node.image_changes,
        node.used_nano_cpus,
        node.used_memory,
        node.cpus,
        node.memory,
        node.version,
        _Same(node.labels),
        _Same(node.info),
        int(node.updated_at),
    )


class _Same:
    """Equal only if the object is the same, because mappings of nodes are replaced as a whole."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)
