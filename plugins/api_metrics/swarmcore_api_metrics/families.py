"""The metrics of a manager: cluster, decisions, discovery and traffic.  Pure.

No label has values that grow with usage, such as names of containers or images.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from swarmcore.model import NANO, State
from swarmcore.node import Node
from swarmcore.protocols import Cluster, DecisionCounts, Moves, Traffic
from swarmcore_api_metrics.exposition import Family, Kind, Sample


def describe_cluster(cluster: Cluster) -> Iterator[Family]:
    """The cluster according to the caches, and decisions since the manager's start."""
    nodes = cluster.nodes()
    yield _gauge("primary", "Whether this manager places containers.", cluster.is_primary)
    yield _gauge("event_followers", "Clients that follow events.", cluster.listeners)
    yield from _discovery(cluster)
    yield from _nodes(nodes)
    yield from _room(nodes)
    yield from _decisions(cluster.decision_counts())
    yield from _moves(cluster.moves)


def _moves(moves: Moves) -> Iterator[Family]:
    states = Counter(each.state for each in moves.unfinished())
    yield _by("moves", "gauge", "Containers that have to leave their nodes.", "state", {
        "moving": states["moving"], "failed": states["failed"],
    })  # fmt: skip
    counts = moves.counts()
    yield _by("move_attempts_total", "counter", "Attempts to move a container.", "result", {
        "moved": counts.get("moved", 0), "failed": counts.get("failed", 0),
    })  # fmt: skip


def _discovery(cluster: Cluster) -> Iterator[Family]:
    state = cluster.discovery
    yield _gauge(
        "discovery_up",
        "Whether the list of engines could be read when it was last tried.",
        bool(state.listed_at) and not state.error,
    )
    yield _gauge(
        "discovery_list_timestamp_seconds",
        "When the list of engines last came; 0 before the first.",
        state.listed_at,
    )


def _nodes(nodes: Sequence[Node]) -> Iterator[Family]:
    states = Counter(node.state for node in nodes)
    containers: Counter[str] = Counter()
    for node in nodes:
        containers.update(node.states)
    yield _by("nodes", "gauge", "Nodes.", "state", {
        state.value.lower(): states[state] for state in State
    })  # fmt: skip
    yield _gauge("nodes_drained", "Nodes that take no new containers.", sum(
        node.drained is not None for node in nodes
    ))  # fmt: skip
    yield Family(
        "swarmcore_node_up",
        "gauge",
        "Whether a node answers.",
        tuple(
            Sample(node.state is State.HEALTHY, (("node", node.name), ("address", node.address)))
            for node in nodes
        ),
    )
    yield _by("containers", "gauge", "Containers of all nodes.", "state", containers)


def _room(nodes: Sequence[Node]) -> Iterator[Family]:
    yield _gauge("reservations", "Creates that hold a claim on a node until their container shows.",
                 sum(len(node.reservations) for node in nodes))  # fmt: skip
    yield _gauge("cpus", "CPUs that may be claimed, overcommit included.",
                 sum(node.total_nano_cpus for node in nodes) / NANO)  # fmt: skip
    yield _gauge("cpus_claimed", "CPUs claimed by containers and reservations.",
                 sum(node.used_nano_cpus for node in nodes) / NANO)  # fmt: skip
    yield _gauge("memory_bytes", "Memory that may be claimed, overcommit included.",
                 sum(node.total_memory for node in nodes))  # fmt: skip
    yield _gauge("memory_claimed_bytes", "Memory claimed by containers and reservations.",
                 sum(node.used_memory for node in nodes))  # fmt: skip


def _decisions(counts: DecisionCounts) -> Iterator[Family]:
    outcomes = (("placed", counts.placed), ("refused", counts.refused))
    yield Family(
        "swarmcore_decisions_total",
        "counter",
        "Decisions on where a container goes.",
        tuple(
            Sample(number, (("outcome", outcome), ("cause", cause)))
            for outcome, causes in outcomes
            for cause, number in sorted(causes.items())
        ),
    )
    yield _by("node_refusals_total", "counter", "Nodes that a rule kept from a container.", "rule",
              counts.rules)  # fmt: skip


def describe_traffic(traffic: Mapping[str, Traffic]) -> Iterator[Family]:
    """Traffic since the manager's start, by the first segment of the path."""
    yield Family(
        "swarmcore_requests_total",
        "counter",
        "Requests that were answered; code 499 where the client left before.",
        tuple(
            Sample(number, (("path", path), ("code", str(code))))
            for path, carried in traffic.items()
            for code, number in sorted(carried.answered.items())
        ),
    )
    yield _by("requests_open", "gauge", "Requests under way, streams and tunnels among them.",
              "path", {path: carried.under_way for path, carried in traffic.items()})  # fmt: skip
    yield _by("received_bytes_total", "counter", "Bytes of bodies and tunnels from clients.",
              "path", {path: carried.received for path, carried in traffic.items()})  # fmt: skip
    yield _by("sent_bytes_total", "counter", "Bytes sent to clients.",
              "path", {path: carried.sent for path, carried in traffic.items()})  # fmt: skip


def _gauge(name: str, text: str, value: float) -> Family:
    return Family(f"swarmcore_{name}", "gauge", text, (Sample(value),))


def _by(name: str, kind: Kind, text: str, label: str, numbers: Mapping[str, float]) -> Family:
    samples = tuple(Sample(number, ((label, key),)) for key, number in sorted(numbers.items()))
    return Family(f"swarmcore_{name}", kind, text, samples)
