"""What a create body says to the scheduler: expressions in ``Env`` and in labels.

Classic's forms.  Does not read the expressions themselves: ``expr`` does, when a filter cares.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

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
    env: Sequence[Any], labels: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any], Instructions]:
    """Move expressions out of the environment into labels, where they outlive the create.

    Args:
        env: ``NAME=value`` entries; ``constraint:zone==b`` and its like are instructions.
        labels: a label with a JSON list of texts holds expressions too; any other text there is
            ignored and, unless ``env`` has some of its family, kept.

    Returns:
        The environment and the labels that the container gets, and the expressions of each family:
        those of the label first.
    """
    kept, taken = [], {family: list(_listed(labels.get(label))) for family, label in _PAIRS}
    for entry in env:
        family, colon, expression = entry.partition(":") if isinstance(entry, str) else ("", "", "")
        if colon and family in FAMILIES:
            taken[family].append(expression)
        else:
            kept.append(entry)
    written = {label: _dump(taken[family]) for family, label in _PAIRS if taken[family]}
    return kept, {**labels, **written}, {key: tuple(value) for key, value in taken.items()}


_PAIRS = tuple(FAMILIES.items())


def _listed(text: Any) -> Sequence[str]:
    """The expressions in a label."""
    try:
        read = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return ()
    if not isinstance(read, list) or not all(isinstance(item, str) for item in read):
        return ()
    return read


def _dump(expressions: Sequence[str]) -> str:
    text = json.dumps(expressions, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES)
