"""The JSON of an explanation: the node of a create, and the result of each rule and weight."""

from collections.abc import Sequence
from typing import Any

from swarmcore.node import Node
from swarmcore.protocols import Decision, Explanation, Verdict
from swarmcore.weights import normalise


def explanation_document(
    explanation: Explanation, strategy: str, filters: Sequence[str]
) -> dict[str, Any]:
    """Return the document of ``POST /swarmcore/explain``: candidates first, the best at the top.

    Args:
        explanation: the explanation of one create.
        strategy: the name of the strategy.
        filters: the names of the filters, in the order of the chain.
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
        "AboutImage": decision.about_image,
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
        "Weighers": [
            {"Name": weigher.name, "Multiplier": weigher.multiplier}
            for weigher in decision.weighers
        ],
        "Nodes": _nodes(decision),
    }


def _nodes(decision: Decision) -> list[dict[str, Any]]:
    candidates = decision.candidates
    own = normalise([candidate.weight for candidate in candidates])
    added = normalise([candidate.added for candidate in candidates])
    ranked = [
        _node(candidate.node, decision, rank)
        | {
            "Weights": {
                "Raw": list(candidate.weight),
                "Normalised": _rounded(own[rank - 1]),
                "Added": list(candidate.added),
                "AddedNormalised": _rounded(added[rank - 1]),
                "Score": round(candidate.score, 6),
            }
        }
        for rank, candidate in enumerate(candidates, start=1)
    ]
    return ranked + [_node(node, decision, 0) for node, _, _ in decision.refusals]


def _rounded(numbers: Sequence[float]) -> list[float]:
    return [round(number, 6) for number in numbers]


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
