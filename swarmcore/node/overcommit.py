"""How much more of a node is given out than it has, as its label says."""

import contextlib

#: The label by which an operator gives out more, or less, of one node than of others.
OVERCOMMIT_LABEL = "swarm.overcommit"
#: More is a slip of the pen.
MOST_OVERCOMMIT = 1000.0


def read_overcommit(text: str) -> float | None:
    """The fraction that a label ``swarm.overcommit`` asks for; ``None`` when it is none."""
    with contextlib.suppress(ValueError):
        fraction = float(text)
        if -1 < fraction <= MOST_OVERCOMMIT:
            return fraction
    return None
