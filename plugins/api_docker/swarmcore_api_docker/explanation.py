"""The JSON of an explanation: where a create would go, and what each rule and weight said."""

from collections.abc import Sequence
from typing import Any

from swarmcore.node import Node
from swarmcore.protocols import Decision, Explanation, Verdict


def explanation_document(
    explanation: Explanation, strategy: str, filters: Sequence[str]
) -> dict[str, Any]:
    """Everything that was considered; candidates first, the best at the top.

    Args:
        explanation: of one create.
        strategy: the strategy's name.
        filters: the filters' names, in the order of the chain.
    """
    config, decision = explanation.config, explanation.decision
    placed = decision.error is None
    return {
        "Name": config.name,
        "Image": config.image,
        "Placed": placed,
        "Node": decision.node.name if placed else "",
        "Alternates": [node.name for node in explanation.alternates],
        "Dropped": list(decision.dropped),
        "Error": str(decision.error or ""),
        "Claim": {
            "NanoCPUs": config.claim.nano_cpus,
            "Memory": config.claim.memory,
            "Ports": [str(port) for port in config.claim.ports],
            "GPUs": config.claim.gpus,
            "GPUIDs": list(config.claim.gpu_ids),
        },
        "Strategy": strategy,
        "Filters": list(filters),
        "Nodes": _nodes(decision),
    }


def _nodes(decision: Decision) -> list[dict[str, Any]]:
    normalised = normalise([candidate.weight for candidate in decision.candidates])
    ranked = [
        _node(candidate.node, decision, rank)
        | {"Weights": {"Raw": list(candidate.weight), "Normalised": weights}}
        for rank, (candidate, weights) in enumerate(
            zip(decision.candidates, normalised, strict=True), start=1
        )
    ]
    return ranked + [_node(node, decision, 0) for node, _, _ in decision.refusals]


def _node(node: Node, decision: Decision, rank: int) -> dict[str, Any]:
    return {
        "Name": node.name,
        "ID": node.id,
        "Address": node.address,
        "Rank": rank,
        "Verdicts": [_verdict(verdict) for verdict in decision.verdicts.get(node.id, ())],
        "Weights": None,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "Filter": verdict.filter,
        "Rule": verdict.rule.text,
        "Soft": verdict.rule.soft,
        "Passed": verdict.reason is None,
        "Reason": verdict.reason or "",
    }


def normalise(weights: Sequence[Sequence[float]]) -> list[list[float]]:
    """Each column on a scale from 0, the worst of the candidates, to 1, the best.

    A column in which all are equal decides nothing, and is 0.
    """
    lowest, highest = map(min, zip(*weights, strict=True)), map(max, zip(*weights, strict=True))
    scales = list(zip(lowest, highest, strict=True))
    return [
        [
            round((weight - low) / (high - low), 6) if high > low else 0.0
            for weight, (low, high) in zip(row, scales, strict=True)
        ]
        for row in weights
    ]
