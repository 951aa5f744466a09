"""The order of candidates: fewest broken soft rules, then weighers, then the strategy.

Weights are summed as in OpenStack nova: the values of each weigher are scaled from 0, the worst
candidate, to 1, the best, multiplied and added.  The strategy contributes the first of its weights
in which the candidates differ, with multiplier 1; without weighers it decides alone.  Weighers
without a multiplier are compared before the sums.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import mul
from typing import Final

from swarmcore.container_config import ContainerConfig
from swarmcore.images import has_image, normal_image, registry_of
from swarmcore.node import Node
from swarmcore.protocols import Candidate, Weigher
from swarmcore.weights import normalise


def rank(
    config: ContainerConfig,
    candidates: Sequence[Candidate],
    nodes: Sequence[Node],
    weighers: Sequence[Weigher],
) -> list[Candidate]:
    """Sort *candidates*, best first, and set their scores.

    Args:
        config: the container's configuration.
        candidates: the candidates with the strategy's weights.
        nodes: all nodes considered, including refused ones.
        weighers: the weighers in addition to the strategy.
    """
    if weighers and candidates:
        candidates = _scored(config, candidates, nodes, weighers)
    firsts = [index for index, weigher in enumerate(weighers) if weigher.multiplier is None]

    def place(candidate: Candidate) -> tuple[object, ...]:
        return (
            sum(candidate.broken),
            candidate.broken,
            [-candidate.added[index] for index in firsts],
            -candidate.score,
            [-number for number in candidate.weight],
            candidate.node.name,
        )

    return sorted(candidates, key=place)


def _scored(
    config: ContainerConfig,
    candidates: Sequence[Candidate],
    nodes: Sequence[Node],
    weighers: Sequence[Weigher],
) -> list[Candidate]:
    chosen_from = [candidate.node for candidate in candidates]
    columns = [weigher.weigh(config, chosen_from, nodes) for weigher in weighers]
    added = list(zip(*columns, strict=True))
    multipliers = [weigher.multiplier or 0.0 for weigher in weighers]
    sums = [sum(map(mul, multipliers, row)) for row in normalise(added)]
    return [
        replace(candidate, added=raw, score=own + more)
        for candidate, raw, own, more in zip(
            candidates, added, _strategys_share(candidates), sums, strict=True
        )
    ]


def _strategys_share(candidates: Sequence[Candidate]) -> Sequence[float]:
    """For each candidate the first of the strategy's weights that differs, scaled to 0..1."""
    rows = normalise([candidate.weight for candidate in candidates])
    telling = (column for column in zip(*rows, strict=True) if any(column))
    return next(telling, (0.0,) * len(candidates))


# ---- failures of creates


#: Half-life of a failure in seconds, so that a repaired engine is tried again within the hour.
_HALF_LIFE_SECONDS = 300.0
#: Smaller counts are taken for 0.
_NOTHING = 0.01


class FailureHistory:
    """Counts failed creates per node; older failures count less.

    Args:
        clock: returns seconds; only differences are used.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: Node id -> the weighted number of failures, and the time for which it was computed.
        self._noted: dict[str, tuple[float, float]] = {}

    def note(self, node_id: str) -> None:
        """Count a failed create."""
        self._noted = {id: noted for id, noted in self._noted.items() if self.recent(id)}
        self._noted[node_id] = (self.recent(node_id) + 1.0, self._clock())

    def recent(self, node_id: str) -> float:
        """The number of failures, each halved every five minutes."""
        count, since = self._noted.get(node_id, (0.0, 0.0))
        left: float = count * 0.5 ** ((self._clock() - since) / _HALF_LIFE_SECONDS)
        return left if left >= _NOTHING else 0.0


# ---- failed pulls


def count_failed_pulls(node: Node, image: str) -> int:
    """How many recent pulls failed on *node* for reasons that would affect a pull of *image*.

    Returns:
        0 if *node* has the image.
    """
    if not node.failed_pulls or has_image(node, image):
        return 0
    scopes = {"", registry_of(image), normal_image(image)}
    return sum(each.count for each in node.failed_pulls.values() if each.scope in scopes)


# ---- weighers that operators enable: ``swarm.weight.NAME`` and ``swarm.spread``


#: Labels that the containers of one service of a compose project share.
_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


#: Compared first: where pulls failed recently, a create that needs a pull is likely to fail.
FAILED_PULLS: Final = Weigher(
    "failed pulls",
    None,
    lambda config, candidates, _: [
        -float(count_failed_pulls(node, config.image)) for node in candidates
    ],
)


def make_weighers(
    multipliers: Mapping[str, float],
    spread: str,
    failures: FailureHistory,
    added: Iterable[Weigher] = (),
) -> Iterator[Weigher]:
    """Build the weighers that the operator enabled.

    Args:
        multipliers: name -> multiplier.
        spread: a node label; empty for none.
        failures: recent failures of creates.
        added: weighers of plugins; *multipliers* overrides their own multiplier.
    """
    if spread:
        yield _spread_over(spread, f"{spread} (service)", _count_siblings)
        yield _spread_over(spread, spread, lambda _, node: node.container_count)
    if (multiplier := multipliers.get("image", 0.0)) != 0:
        yield Weigher("image", multiplier, _has_image)
    if (multiplier := multipliers.get("failures", 0.0)) != 0:
        yield Weigher("failures", multiplier, lambda _, nodes, __: [
            -failures.recent(node.id) for node in nodes
        ])  # fmt: skip
    for weigher in added:
        if (counts := multipliers.get(weigher.name, weigher.multiplier)) != 0:
            yield replace(weigher, multiplier=counts)


def _has_image(
    config: ContainerConfig, candidates: Sequence[Node], _: Sequence[Node]
) -> list[float]:
    """1 for nodes that have the image, otherwise 0."""
    return [float(has_image(node, config.image)) for node in candidates]


def _spread_over(label: str, name: str, count: Callable[[ContainerConfig, Node], int]) -> Weigher:
    """Prefer nodes whose value of *label* has the fewest containers in total.

    Nodes without the label share the empty value, as in swarm mode.
    """

    def weigh(
        config: ContainerConfig, candidates: Sequence[Node], nodes: Sequence[Node]
    ) -> list[float]:
        counts: Counter[str] = Counter()
        for node in nodes:
            counts[node.labels.get(label, "")] += count(config, node)
        return [-float(counts[node.labels.get(label, "")]) for node in candidates]

    return Weigher(f"spread {name}", None, weigh)


def _count_siblings(config: ContainerConfig, node: Node) -> int:
    """The number of containers of the same compose service; 0 if *config* belongs to none."""
    project, service = config.labels.get(_PROJECT, ""), config.labels.get(_SERVICE, "")
    if not service or service not in node.container_label_values(_SERVICE):
        return 0
    labels = (
        *(container.labels for container in node.containers.values()),
        *(reservation.labels for reservation in node.reservations.values()),
    )
    return sum(
        each.get(_SERVICE) == service and each.get(_PROJECT, "") == project for each in labels
    )


# ---- moves of networks and volumes


#: Costs of a move: before a volume is moved, an engine computes the size of its volumes, and an
#: old engine that of everything it has.
_COSTS = {"network": 1.0, "volume": 2.0}


def _count_moves(
    config: ContainerConfig, candidates: Sequence[Node], _: Sequence[Node]
) -> list[float]:
    return [
        -sum(_COSTS[kind] for (kind, _), at in config.loose.items() if at is not node)
        for node in candidates
    ]


#: Compared before the sums.
FEWEST_MOVES = Weigher("fewest moves of networks and volumes", None, _count_moves)
