"""Field names in any case, as Go's JSON decoder takes them.

An engine honours ``{"hostconfig": {"memory": 1}}``; whoever decides on that body must see it too.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from swarmcore.errors import BadRequest

#: The two letters beyond ASCII that Go folds onto ASCII ones.
_ODD = str.maketrans({"\u017f": "s", "\u212a": "k"})


def fold(key: str) -> str:
    """What two spellings of one Go field name have in common."""
    return key.translate(_ODD).lower()


def with_known_spelling(
    fields: Mapping[str, Any], known: Iterable[str], where: str = ""
) -> dict[str, Any]:
    """A copy of *fields* whose keys are spelled as in *known*, in their order; others untouched.

    Args:
        fields: one JSON object that an engine decodes into a struct (not a map of user data).
        known: field names in Docker's spelling.
        where: names the object in errors: ``HostConfig``.

    Raises:
        BadRequest: two keys are one field.
    """
    spelling = {fold(name): name for name in known}
    read: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for key, value in fields.items():
        folded = fold(key)
        if folded in seen:
            within = f" in {where}" if where else ""
            raise BadRequest(f"fields {seen[folded]!r} and {key!r}{within} are one: give it once")
        seen[folded] = key
        read[spelling.get(folded, key)] = value
    return read
