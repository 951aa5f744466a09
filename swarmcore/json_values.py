"""Reads JSON values of engines and clients; a value of an unexpected type counts as empty.

One unexpected field must not prevent reading the others.  If it is an error, the engine reports it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swarmcore.errors import EngineError

#: What code raises that reads a document without its fields, or with fields of other types.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@contextmanager
def reading_answer(engine: str, what: str) -> Iterator[None]:
    """Read an engine's answer in the block: that it cannot be read is the engine's fault.

    The block must only read the answer, so that an error in the manager is not mistaken for one.

    Args:
        engine: the engine's name, for the error text.
        what: the request that it answered, such as ``GET /networks``.

    Raises:
        EngineError: the block raised one of ``UNREADABLE``; the text says why.
    """
    try:
        yield
    except UNREADABLE as error:
        raise damaged_answer(engine, what, error) from error


def damaged_answer(engine: str, what: str, error: Exception) -> EngineError:
    """The error for an answer that cannot be read; see ``reading_answer``."""
    is_json = not isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
    why = f"unexpected fields ({error!r})" if is_json else f"not JSON ({error})"
    return EngineError(engine, f"engine {engine} sent a damaged answer to {what}: {why}")


def as_object(value: Any) -> Mapping[str, Any]:
    """*value* if it is an object, otherwise an empty one."""
    # dict first, which JSON gives: asking whether it is a Mapping takes several times as long.
    return value if isinstance(value, (dict, Mapping)) else {}


def as_objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in the list *value*; empty if it is not a list."""
    return [item for item in as_list(value) if isinstance(item, (dict, Mapping))]


def as_list(value: Any) -> list[Any]:
    """*value* if it is a list, otherwise an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """*value* if it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def as_texts(value: Any) -> list[str]:
    """The strings in the list *value*; empty if it is not a list."""
    return [item for item in as_list(value) if isinstance(item, str)]
