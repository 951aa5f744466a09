"""The order of candidates: fewest soft rules broken, then weighers, then the strategy.

Sums are made as OpenStack's nova makes them: each weigher's values are brought to a scale from 0,
the worst candidate, to 1, the best; times its multiplier; added up.  The strategy takes part with
the first of its numbers in which the candidates differ, times 1; so it decides alone where nothing
is added.  Weighers without a multiplier decide before everything that is added up.
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
    """Sort *candidates*, the best first, each with its score.

    Args:
        config: what is to run.
        candidates: weighed by the strategy.
        nodes: all that were asked, refused ones too.
        weighers: what is added to the strategy.
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
    """For each candidate the first of the strategy's numbers that tells them apart, 0 to 1."""
    rows = normalise([candidate.weight for candidate in candidates])
    telling = (column for column in zip(*rows, strict=True) if any(column))
    return next(telling, (0.0,) * len(candidates))


# ---- failures of creates


#: The half-life of a failure, in seconds: a repaired engine is tried again within the hour.
_HALF_LIFE_SECONDS = 300.0
#: Less than this is forgotten.
_NOTHING = 0.01


class FailureHistory:
    """Counts failed creates for each node; a failure counts less with time.

    Args:
        clock: seconds; only differences count.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: Node id -> the weighted number of failures, and as of when.
        self._noted: dict[str, tuple[float, float]] = {}

    def note(self, node_id: str) -> None:
        """Count a failed create."""
        self._noted = {id: noted for id, noted in self._noted.items() if self.recent(id)}
        self._noted[node_id] = (self.recent(node_id) + 1.0, self._clock())

    def recent(self, node_id: str) -> float:
        """The number of failures, each of them halved every five minutes."""
        count, since = self._noted.get(node_id, (0.0, 0.0))
        left: float = count * 0.5 ** ((self._clock() - since) / _HALF_LIFE_SECONDS)
        return left if left >= _NOTHING else 0.0


# ---- failed pulls


def count_failed_pulls(node: Node, image: str) -> int:
    """How many pulls failed on *node* lately for reasons that a pull of *image* would meet again.

    Returns:
        0 where it need not be pulled.
    """
    if not node.failed_pulls or has_image(node, image):
        return 0
    scopes = {"", registry_of(image), normal_image(image)}
    return sum(each.count for each in node.failed_pulls.values() if each.scope in scopes)


# ---- weighers that operators add: ``swarm.weight.NAME`` and ``swarm.spread``


#: Labels that the containers of one service of a compose project share.
_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


#: Decides before everything: where a pull failed lately, a create that must pull fails again.
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
    """The weighers that were asked for.

    Args:
        multipliers: name -> how much it counts.
        spread: a label of nodes; empty to leave that out.
        failures: of creates.
        added: by plugins; *multipliers* goes before their own multiplier.
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
    """1 for nodes that have the image, else 0."""
    return [float(has_image(node, config.image)) for node in candidates]


def _spread_over(label: str, name: str, count: Callable[[ContainerConfig, Node], int]) -> Weigher:
    """Prefers nodes of the value of *label* whose nodes have the fewest containers together.

    Nodes without the label are one more value, as in swarm mode.
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
    """Containers of the service that *config* is of; none where it is of none."""
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


#: An engine adds up what is in its volumes, an old one in all that it has, before one leaves.
_COSTS = {"network": 1.0, "volume": 2.0}


def _count_moves(
    config: ContainerConfig, candidates: Sequence[Node], _: Sequence[Node]
) -> list[float]:
    return [
        -sum(_COSTS[kind] for (kind, _), at in config.loose.items() if at is not node)
        for node in candidates
    ]


#: Decides before everything that is added up.
FEWEST_MOVES = Weigher("fewest moves of networks and volumes", None, _count_moves)
