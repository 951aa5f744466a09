"""What a create says to the scheduler, in ``Env`` and in labels: expressions, and how it waits.

Classic's forms, and ours for waiting.  Does not read the expressions themselves: ``expressions``
does, when a filter cares.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from swarmcore.errors import BadRequest

log = logging.getLogger(__name__)

#: First word of an ``Env`` entry -> the label that keeps its expressions on the engine.
FAMILIES: Final[Mapping[str, str]] = {
    "constraint": "com.docker.swarm.constraints",
    "affinity": "com.docker.swarm.affinities",
    "whitelist": "com.docker.swarm.whitelists",
    "reschedule": "com.docker.swarm.reschedule-policies",
}

#: What Go's JSON encoder escapes: classic's labels read so on every engine.
_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


Instructions = dict[str, tuple[str, ...]]


def take_instructions(
    env: Sequence[Any], labels: Mapping[str, Any], *, lenient: bool = False
) -> tuple[list[Any], dict[str, Any], Instructions]:
    """Move expressions out of the environment into labels, where they outlive the create.

    Args:
        env: ``NAME=value`` entries; ``constraint:zone==b`` and its like are instructions.
        labels: a label with a JSON list of texts holds expressions too; an empty one holds none,
            as an image's that was committed from a container.
        lenient: pass over a label that holds something else, as classic did, with a warning in the
            log.

    Returns:
        The environment and the labels that the container gets, and the expressions of each family:
        those of the label first.

    Raises:
        BadRequest: such a label holds something else, and *lenient* is false.
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
        log.warning("%s; it is passed over", error)
        return ()


def _listed(label: str, labels: Mapping[str, Any]) -> Sequence[str]:
    """The expressions in a label."""
    text = labels.get(label)
    if not isinstance(text, str) or not text.strip():
        return ()  # what is no text is for the engine to refuse
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, list) or not all(isinstance(item, str) for item in read):
        raise BadRequest(f'label {label}: {text[:80]!r} is no JSON list of texts, as ["zone==eu"]')
    return read


def _dump(expressions: Sequence[str]) -> str:
    text = json.dumps(expressions, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES)


# ---- waiting for room


#: Seconds; 0 fails at once.
QUEUE = "com.docker.swarm.queue"
#: A whole number; the higher goes first.
PRIORITY = "com.docker.swarm.priority"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """How long a create waits for room, and how urgently.

    Attributes:
        seconds: how long it waits; 0: not at all.
        priority: the higher goes before the lower.
    """

    seconds: float = 0.0
    priority: int = 0


def read_queue_options(labels: Mapping[str, str], default_seconds: float) -> QueueOptions:
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
        return QueueOptions(seconds, int(text))
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
