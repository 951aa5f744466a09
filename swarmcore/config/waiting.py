"""How long a create is to wait when nothing has room for it, as its labels say.  Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from swarmcore.errors import BadRequest

#: Seconds; 0 fails at once.
QUEUE = "com.docker.swarm.queue"
#: A whole number; the higher goes first.
PRIORITY = "com.docker.swarm.priority"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a create wants when there is no room.

    Attributes:
        seconds: how long it waits; 0: not at all.
        priority: the higher goes before the lower.
    """

    seconds: float = 0.0
    priority: int = 0


def read_wish(labels: Mapping[str, str], default_seconds: float) -> Wish:
    """What *labels* ask for.

    Args:
        labels: the container's.
        default_seconds: without a label.

    Raises:
        BadRequest: a label that cannot be read.
    """
    seconds, text = default_seconds, labels.get(QUEUE)
    if text is not None:
        try:
            seconds = parse_seconds(text)
        except ValueError as error:
            raise BadRequest(f"label {QUEUE}: {error}") from None
    text = labels.get(PRIORITY, "0")
    try:
        return Wish(seconds, int(text))
    except ValueError:
        raise BadRequest(f"label {PRIORITY}: {text!r} is no whole number such as 10") from None


def parse_seconds(text: str) -> float:
    """Read a number of seconds.

    Raises:
        ValueError: it is none; says what would be.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text!r} is no number of seconds such as 30, or 0 to fail at once")
    return seconds
