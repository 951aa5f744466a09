"""``SystemStatus``: the node table of Swarm classic, which ``docker info`` prints.  Pure.

Scripts of operators read these rows, so keys, order and the corner character are exactly those of
classic.  There are four additional rows: ``Drained`` for a drained node, ``Discovery`` while the
list of engines, or a part of it, cannot be read, ``Waiting`` while creates wait for free resources,
and ``Moves`` while containers are being moved, or cannot be.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from swarmcore.model import NANO, State
from swarmcore.node import Node
from swarmcore.printable import printable
from swarmcore.protocols import Cluster, DiscoveryState, MoveRecord
from swarmcore.sizes import show_bytes

_CORNER = "  └ "


Rows = list[tuple[str, str]]


def system_status(cluster: Cluster) -> Rows:
    """Return all rows."""
    return [*cluster_rows(cluster), *(row for node in cluster.nodes() for row in node_rows(node))]


def cluster_rows(cluster: Cluster) -> Rows:
    """Return the rows before those of the nodes; ``Primary`` is only there on a replica."""
    rows = [("Role", "primary")]
    if not cluster.is_primary:
        rows = [("Role", "replica"), ("Primary", cluster.primary)]
    rows += [
        ("Strategy", cluster.strategy_name),
        ("Filters", ", ".join(cluster.filter_names)),
    ]
    if trouble := _discovery_text(cluster.discovery):
        rows.append(("Discovery", trouble))
    if waiting := cluster.waiting():
        longest = max(each.waited_seconds for each in waiting)
        rows.append(("Waiting", f"{len(waiting)} for room, the longest for {longest:.0f} s"))
    if unfinished := cluster.moves.unfinished():
        rows.append(("Moves", moves_text(unfinished)))
    rows.append(("Nodes", str(len(cluster.nodes()))))
    return _printable(rows)


def node_rows(node: Node) -> Rows:
    """Return the rows of one node."""
    rows = [(f" {node.name or '(unknown)'}", node.address)]
    rows += [(_CORNER + key, value) for key, value in _details(node)]
    return _printable(rows)


def moves_text(unfinished: Sequence[MoveRecord]) -> str:
    """Return how many containers are being moved, and why the latest failed move failed."""
    failed = [each for each in unfinished if each.state == "failed"]
    text = f"{len(unfinished) - len(failed)} under way, {len(failed)} failed"
    return f"{text}: {failed[0].name}: {failed[0].error}" if failed else text


def _printable(rows: Rows) -> Rows:
    """Clients print the rows as they are, with names, labels and errors of engines and stores."""
    return [(printable(key), printable(value)) for key, value in rows]


def _discovery_text(state: DiscoveryState) -> str:
    """Return the error of the discovery, otherwise the error of the first skipped entry."""
    if state.error or not state.problems:
        return state.error
    others = f" (and {len(state.problems) - 1} more)" if len(state.problems) > 1 else ""
    return f"{state.problems[0]}; it is skipped{others}"


def _details(node: Node) -> Rows:
    pending = node.state is State.PENDING
    rows = [("ID", "" if pending else node.id), ("Status", node.state.value)]
    if node.drained is not None:
        rows.append(("Drained", str(node.drained)))
    rows += [
        ("Containers", _containers_text(node)),
        ("Reserved CPUs", f"{node.used_nano_cpus / NANO:g} / {node.total_nano_cpus / NANO:g}"),
        ("Reserved Memory", f"{show_bytes(node.used_memory)} / {show_bytes(node.total_memory)}"),
        ("Labels", ", ".join(f"{key}={value}" for key, value in sorted(node.labels.items()))),
    ]
    if node.error:
        rows.append(("Error", node.error))
    rows += [("UpdatedAt", _timestamp(node.updated_at)), ("ServerVersion", node.version)]
    return rows


def _containers_text(node: Node) -> str:
    total = len(node.containers)
    if node.state is not State.HEALTHY:
        return str(total)
    counts = node.container_counts
    return f"{total} ({counts.running} Running, {counts.paused} Paused, {counts.stopped} Stopped)"


def _timestamp(seconds: float) -> str:
    if not seconds:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
