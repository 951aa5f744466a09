"""Whether an image is carried to the best node, or the container goes to a node with the image.

An image that was built on one node would keep all its containers there.  It is carried to a node
that leads the best one with the image by more than the operator's threshold; below that the
container goes where the image is.  Pure.
"""

from collections.abc import Sequence
from dataclasses import replace

from swarmcore.node import Node, find_image_source, image_test
from swarmcore.protocols import Candidate, Decision, Weigher


def settle_image(
    image: str, decision: Decision, nodes: Sequence[Node], threshold: float
) -> Decision:
    """Change *decision* with regard to which nodes have the image.

    Args:
        image: what is to run, as the client named it.
        decision: made without that regard.
        nodes: all that were asked.
        threshold: see ``lead``.

    Returns:
        The same where the chosen node has the image, or no other node can give it.  Else the first
        candidate has it, or gets it: then the decision says from where.
    """
    candidates = decision.candidates
    if not image or not candidates:
        return decision
    has, first = image_test(image), candidates[0]
    if has(first.node):
        return decision
    source = find_image_source(image, first.node, nodes)
    if source is None:
        return decision
    holder = next((each for each in candidates if has(each.node)), None)
    if holder is None:
        return replace(decision, about_image=f"carried from {source.name}")
    ahead = lead(first, holder, decision.weighers)
    if first.broken != holder.broken:
        reason = f"{holder.node.name} has it and breaks more wishes"
    elif ahead > threshold:
        reason = f"{first.node.name} leads {holder.node.name}, which has it, by {ahead:g}"
    else:
        told = f"{holder.node.name} has it, and {first.node.name} leads by {ahead:g} only"
        rest = [each for each in candidates if each is not holder]
        return replace(decision, candidates=[holder, *rest], about_image=f"not carried: {told}")
    return replace(decision, about_image=f"carried from {source.name}: {reason}")


def lead(first: Candidate, other: Candidate, weighers: Sequence[Weigher]) -> float:
    """By how much *first* is better: the difference in the first number in which they differ.

    Those are what weighers decide before all else, then the strategy's own; sums of weights have
    no part in it, for their scale is the candidates'.  With ``spread`` it is percent of CPU and
    memory where these are claimed, else a number of containers.
    """
    firsts = [index for index, weigher in enumerate(weighers) if weigher.multiplier is None]
    ours = [*(first.added[index] for index in firsts), *first.weight]
    theirs = [*(other.added[index] for index in firsts), *other.weight]
    pairs = zip(ours, theirs, strict=True)
    return next((mine - its for mine, its in pairs if mine != its), 0.0)
