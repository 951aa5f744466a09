"""The answer to ``GET /info``, kept encoded until something in it changes.

Three parts of it are kept on their own, because they change at different rates: the rows of each
node, which have the time of the last contact; the numbers of containers and images; and what is
known about the engines.  Only the manager's time is inserted for each request.

Contacts alone are shown from the next second on: a thousand idle engines have several hundred of
them each second, and after each one the rows of all nodes are joined again.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore import chance
from swarmcore.http.messages import dump_json
from swarmcore.node import Node
from swarmcore.protocols import Cluster
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.system.info import describe_info, engine_facts
from swarmcore_api_docker.system.status_rows import Rows, cluster_rows, node_rows
from swarmcore_api_docker.system.version import ManagerFacts

#: These stand for the time and for the rows in a kept document; no text of an engine can contain
#: them.
_TIME = chance.token_hex(16)
_ROWS = chance.token_hex(16)
#: The length of a time in RFC 3339 up to the seconds.
_SECONDS = len("2026-01-01T00:00:00")


class KeptInfo:
    """Keeps one answer for each API version of clients.

    Args:
        manager: the manager that answers.
        classic: show releases and sums as Swarm classic did.
    """

    def __init__(self, manager: ManagerFacts, *, classic: bool = False) -> None:
        self._manager = manager
        self._classic = classic
        self._shown: object = None
        #: The contacts that are shown, and the manager's time of then, without fractions.
        self._contacts = (-1, "")
        self._described: object = None
        self._contents: object = None
        self._facts: Mapping[str, Any] = {}
        self._status = _Status()
        #: Version -> what is before and after the time.
        self._kept: dict[ApiVersion, tuple[bytes, bytes]] = {}
        #: The same with ``_ROWS`` instead of the rows.
        self._without_rows: dict[ApiVersion, tuple[bytes, bytes]] = {}

    def encoded(self, cluster: Cluster, now: str, version: ApiVersion) -> bytes:
        """Return the encoded document.

        Args:
            cluster: the cluster.
            now: the manager's time, in RFC 3339.
            version: the client's API version.
        """
        if cluster.waiting():  # for how long is shown
            return dump_json(
                describe_info(cluster, self._manager, now, version, classic=self._classic)
            )
        self._forget_what_changed(cluster, now[:_SECONDS])
        kept = self._kept.get(version)
        if kept is None:
            before, after = self._make_without_rows(cluster, version)
            rows = self._status.encoded(cluster)
            kept = self._kept[version] = before.replace(_QUOTED_ROWS, rows, 1), after
        return b"".join((kept[0], now.encode(), kept[1]))

    def _forget_what_changed(self, cluster: Cluster, second: str) -> None:
        revision, own = cluster.revision, _own_state(cluster)
        shown = revision.contents, revision.descriptions, own
        contacts, shown_in = self._contacts
        if shown == self._shown and (revision.contacts == contacts or shown_in == second):
            return
        self._shown = shown
        self._contacts = revision.contacts, second
        self._kept.clear()
        if revision.descriptions != self._described:
            self._described = revision.descriptions
            self._facts = engine_facts(cluster.nodes(), self._manager)
        if shown != self._contents:
            self._contents = shown
            self._without_rows.clear()

    def _make_without_rows(self, cluster: Cluster, version: ApiVersion) -> tuple[bytes, bytes]:
        made = self._without_rows.get(version)
        if made is None:
            document = describe_info(
                cluster,
                self._manager,
                _TIME,
                version,
                classic=self._classic,
                facts=self._facts,
                status=_ROWS,
            )
            before, _, after = dump_json(document).partition(_TIME.encode())
            made = self._without_rows[version] = before, after
        return made


_QUOTED_ROWS = b'"' + _ROWS.encode() + b'"'


def _own_state(cluster: Cluster) -> tuple[object, ...]:
    """Return what the document shows of the manager itself."""
    discovery = cluster.discovery
    return (
        cluster.is_primary,
        cluster.primary,
        discovery.error,
        tuple(discovery.problems),
        cluster.listeners,
        tuple(cluster.moves.unfinished()),
    )


class _Status:
    """The rows of ``SystemStatus``; those of a node are encoded again after it has changed."""

    def __init__(self) -> None:
        #: Node -> the number of its changes, and its rows.
        self._nodes: dict[Node, tuple[int, bytes]] = {}

    def encoded(self, cluster: Cluster) -> bytes:
        """Return all rows, as a list in JSON."""
        self._nodes = {node: self._rows_of(node) for node in cluster.nodes()}
        rows = [_encode(cluster_rows(cluster)), *(rows for _, rows in self._nodes.values())]
        return b"[" + b",".join(rows) + b"]"

    def _rows_of(self, node: Node) -> tuple[int, bytes]:
        kept = self._nodes.get(node)
        if kept is None or kept[0] != node.changes:
            return node.changes, _encode(node_rows(node))
        return kept


def _encode(rows: Rows) -> bytes:
    """Return rows in JSON, without the brackets of the list."""
    return dump_json(rows)[1:-2]
