"""Instructions to the scheduler in ``Env`` and labels of a create: expressions, and queueing.

The syntax is Swarm classic's, extended by labels for queueing.  Expressions are only collected
here; ``expressions`` parses them for filters.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from swarmcore.errors import BadRequest

log = logging.getLogger(__name__)

#: Prefix of an ``Env`` entry -> the label that stores its expressions on the engine.
FAMILIES: Final[Mapping[str, str]] = {
    "constraint": "com.docker.swarm.constraints",
    "affinity": "com.docker.swarm.affinities",
    "whitelist": "com.docker.swarm.whitelists",
    "reschedule": "com.docker.swarm.reschedule-policies",
}

#: Characters that Go's JSON encoder escapes, so that labels look like Swarm classic's.
_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


Instructions = dict[str, tuple[str, ...]]


def take_instructions(
    env: Sequence[Any], labels: Mapping[str, Any], *, lenient: bool = False
) -> tuple[list[Any], dict[str, Any], Instructions]:
    """Move expressions from the environment to labels, so that they are stored on the engine.

    Args:
        env: ``NAME=value`` entries; entries such as ``constraint:zone==b`` are instructions.
        labels: a label may also have expressions, as a JSON list of texts; an empty text stands for
            none, as in images committed from containers.
        lenient: whether to log and ignore a malformed label, as Swarm classic does.

    Returns:
        The container's environment and labels, and the expressions by family, those from labels
        first.

    Raises:
        BadRequest: a label is malformed and *lenient* is false.
    """
    kept, taken = (
        [],
        {family: list(_read_label(label, labels, lenient)) for family, label in _PAIRS},
    )
    for entry in env:
        family, colon, expression = entry.partition(":") if isinstance(entry, str) else ("", "", "")
        if colon and family in FAMILIES:
            taken[family].append(expression)
        else:
            kept.append(entry)
    written = {label: _dump(taken[family]) for family, label in _PAIRS if taken[family]}
    return kept, {**labels, **written}, {key: tuple(value) for key, value in taken.items()}


_PAIRS = tuple(FAMILIES.items())


def _read_label(label: str, labels: Mapping[str, Any], lenient: bool) -> Sequence[str]:
    try:
        return _listed(label, labels)
    except BadRequest as error:
        if not lenient:
            raise
        log.warning("%s; the label is ignored", error)
        return ()


def _listed(label: str, labels: Mapping[str, Any]) -> Sequence[str]:
    """The expressions in one label."""
    text = labels.get(label)
    if not isinstance(text, str) or not text.strip():
        return ()  # the engine will refuse a value that is no text
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, list) or not all(isinstance(item, str) for item in read):
        raise BadRequest(
            f'label {label}: {text[:80]!r} must be a JSON list of strings, such as ["zone==eu"]'
        )
    return read


def _dump(expressions: Sequence[str]) -> str:
    text = json.dumps(expressions, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES)


# ---- queueing


#: Label: seconds to wait for free resources; 0 fails at once.
QUEUE = "com.docker.swarm.queue"
#: Label: a whole number; higher priorities are served first.
PRIORITY = "com.docker.swarm.priority"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """How long a create waits for free resources, and its priority.

    Attributes:
        seconds: waiting time; 0: it does not wait.
        priority: higher priorities are served first.
    """

    seconds: float = 0.0
    priority: int = 0


def read_queue_options(labels: Mapping[str, str], default_seconds: float) -> QueueOptions:
    """Read the queueing labels.

    Args:
        labels: the container's labels.
        default_seconds: the waiting time without a label.

    Raises:
        BadRequest: a label is malformed.
    """
    seconds, text = default_seconds, labels.get(QUEUE)
    if text is not None:
        try:
            seconds = parse_seconds(text)
        except ValueError as error:
            raise BadRequest(f"label {QUEUE}: {error}") from None
    text = labels.get(PRIORITY, "0")
    try:
        return QueueOptions(seconds, int(text))
    except ValueError:
        raise BadRequest(f"label {PRIORITY}: {text!r} is no whole number such as 10") from None


def parse_seconds(text: str) -> float:
    """Parse a number of seconds.

    Raises:
        ValueError: not a finite, non-negative number.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text!r} is no number of seconds such as 30, or 0 to fail at once")
    return seconds
