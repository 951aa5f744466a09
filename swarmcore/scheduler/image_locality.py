"""Whether an image is copied to the best node, or the container goes to a node with the image.

Without copying, an image that was built on one node would keep all its containers there.  It is
copied to a node that leads the best node with the image by more than the operator's threshold;
otherwise the container goes to the node with the image.  Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from swarmcore.node import Node, find_image_source
from swarmcore.protocols import Candidate, Decision, Weigher
from swarmcore.scheduler.outcome import LazySequence


def settle_image(
    image: str,
    decision: Decision,
    holders: Sequence[Node],
    holder: Candidate | None,
    threshold: float,
) -> Decision:
    """Take into account which nodes have the image.

    Args:
        image: as the client named it.
        decision: a decision made without regard to images, whose chosen node lacks the image.
        holders: all considered nodes that have the image.
        holder: the best candidate that has the image; ``None`` if there is none.
        threshold: the lead, see ``lead``, above which the image is copied.

    Returns:
        *decision* itself if no other node can give the image.  Otherwise a decision whose first
        candidate has the image or gets it; ``about_image`` says how.
    """
    candidates = decision.candidates
    first = candidates[0]
    source = find_image_source(image, first.node, holders)
    if source is None:
        return decision
    if holder is None:
        return replace(decision, about_image=f"carried from {source.name}")
    ahead = lead(first, holder, decision.weighers)
    if first.broken != holder.broken:
        reason = f"{holder.node.name} has it and breaks more wishes"
    elif ahead > threshold:
        reason = f"{first.node.name} leads {holder.node.name}, which has it, by {ahead:g}"
    else:
        told = f"{holder.node.name} has it, and {first.node.name} leads by {ahead:g} only"
        rest = (each for each in candidates if each.node is not holder.node)
        return replace(
            decision,
            candidates=LazySequence(chain([holder], rest), len(candidates)),
            about_image=f"not carried: {told}",
        )
    return replace(decision, about_image=f"carried from {source.name}: {reason}")


def lead(first: Candidate, other: Candidate, weighers: Sequence[Weigher]) -> float:
    """By how much *first* is better: the difference of the first weights that differ.

    Weighers without a multiplier are compared first, then the strategy's weights.  Weighted sums
    are not compared, as their scale depends on the candidates.  With ``spread`` the result is
    percent of CPU and memory if these are claimed, otherwise a number of containers.
    """
    firsts = [index for index, weigher in enumerate(weighers) if weigher.multiplier is None]
    ours = [*(first.added[index] for index in firsts), *first.weight]
    theirs = [*(other.added[index] for index in firsts), *other.weight]
    pairs = zip(ours, theirs, strict=True)
    return next((mine - its for mine, its in pairs if mine != its), 0.0)
