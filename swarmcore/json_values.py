"""Reads JSON values of engines and clients; a value of an unexpected type counts as empty.

One unexpected field must not prevent reading the others.  If it is an error, the engine reports it.
"""

from collections.abc import Mapping
from typing import Any


def as_object(value: Any) -> Mapping[str, Any]:
    """*value* if it is an object, otherwise an empty one."""
    # dict first, which JSON gives: asking whether it is a Mapping takes several times as long.
    return value if isinstance(value, (dict, Mapping)) else {}


def as_objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in the list *value*; empty if it is not a list."""
    return [item for item in as_list(value) if isinstance(item, Mapping)]


def as_list(value: Any) -> list[Any]:
    """*value* if it is a list, otherwise an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """*value* if it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def as_texts(value: Any) -> list[str]:
    """The strings in the list *value*; empty if it is not a list."""
    return [item for item in as_list(value) if isinstance(item, str)]
