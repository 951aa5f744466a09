"""The order of candidates: fewest wishes broken, then what is added first, sums, the strategy.

Sums are made as OpenStack's nova makes them: each weigher's values are brought to a scale from 0,
the worst candidate, to 1, the best; times its multiplier; added up.  The strategy takes part with
the first of its numbers in which the candidates differ, times 1; so it decides alone, as ever,
where nothing is added.
"""

from collections.abc import Sequence
from dataclasses import replace
from operator import mul

from swarmcore.config import ContainerConfig
from swarmcore.node import Node
from swarmcore.protocols import Candidate, Weigher
from swarmcore.weighing import normalise


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
