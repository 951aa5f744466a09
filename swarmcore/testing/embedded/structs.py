"""Check JSON as Go's decoder does: keys in any case, exact types.

The errors have the texts of Docker 28.5.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore.container_config.normalize import fold, with_known_spelling
from swarmcore.errors import BadRequest


def read_struct(body: Any, name: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of *body*, spelled as in *fields*.

    Args:
        body: the decoded JSON; ``None`` for an empty body.
        name: the name of Go's struct, for errors: ``ExecOptions``.
        fields: the fields to check, and their types: ``bool``, ``string`` or ``[]string``.

    Raises:
        BadRequest: a field has another type.
    """
    if body is None:
        return {}
    if not isinstance(body, Mapping):
        raise _refusal(body, f"Go value of type container.{name}")
    read = with_known_spelling(body, fields)
    written = {fold(key): key for key in body}
    for field, wanted in fields.items():
        value = read.get(field)
        if value is None:
            continue
        place = f"{name}.{written[fold(field)]}"
        if not isinstance(value, {"bool": bool, "string": str, "[]string": list}[wanted]):
            raise _refusal(value, f"Go struct field {place} of type {wanted}")
        if isinstance(value, list):
            _check_texts(value, place)
    return read


def read_texts(value: Any, place: str) -> dict[str, str]:
    """A map of texts; ``null`` is the empty text, as in Go.

    Args:
        value: the map, or ``None``.
        place: the struct and the field, for refusals: ``CreateRequest.Labels``.

    Raises:
        BadRequest: another type, of the map or of a value.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _refusal(value, f"Go struct field {place} of type map[string]string")
    for text in value.values():
        if not isinstance(text, str | None):
            raise _refusal(text, f"Go struct field {place} of type string")
    return {key: text or "" for key, text in value.items()}


def _check_texts(items: list[Any], where: str) -> None:
    for at, item in enumerate(items):
        if not isinstance(item, str):
            raise _refusal(item, f"{where}.{at} of type string")


def _refusal(value: Any, where: str) -> BadRequest:
    words = {bool: "bool", str: "string", list: "array", dict: "object", type(None): "null"}
    found = words.get(type(value), "number")
    return BadRequest(f"invalid JSON: json: cannot unmarshal {found} into {where}")
