"""Reading JSON of others: a value that is not of the promised shape counts as empty.

An engine may be broken and a client may send anything; one odd field must not end the reading of
the rest.  Whether such a value is an error is for the engine to say, in its own words.
"""

from collections.abc import Mapping
from typing import Any


def as_object(value: Any) -> Mapping[str, Any]:
    """*value* where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in *value*, a list; nothing where it is something else."""
    return [item for item in as_list(value) if isinstance(item, Mapping)]


def as_list(value: Any) -> list[Any]:
    """*value* where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """*value* where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_texts(value: Any) -> list[str]:
    """The strings in *value*, a list; nothing where it is something else."""
    return [item for item in as_list(value) if isinstance(item, str)]
