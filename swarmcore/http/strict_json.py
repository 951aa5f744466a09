"""JSON bodies of requests, read strictly: an engine must not read another value than we decided on.

Go matches JSON keys in any case and lets the last of two equal ones win.  A body that says
``Memory`` twice could therefore show a scheduler one number and an engine another; such a body is
refused, except where the keys are the user's own data.  Pure.
"""

import json
import math
import re
from typing import Any, NoReturn

from swarmcore.errors import BadRequest
from swarmcore.request_limits import ENTRIES, VALUES, check_count

#: Members whose keys are data and not field names: ``Labels: {"a": .., "A": ..}`` is legal.
_FREE_KEYS = frozenset(
    {
        "annotations",
        "args",
        "config",
        "driveropts",
        "endpointsconfig",
        "exposedports",
        "labels",
        "networks",
        "options",
        "portbindings",
        "storageopt",
        "sysctls",
        "tmpfs",
        "volumes",
    }
)

#: Each escape of a JSON text, halves of surrogate pairs apart from whole ones.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class _Colliding(dict[str, Any]):
    """An object with keys that differ only in case; whether it may is up to its member."""

    def __init__(self, read: dict[str, Any], key: str) -> None:
        super().__init__(read)
        self.key = key


def parse_body(body: bytes, content_type: str | None) -> Any:
    """A request's body as JSON.

    Args:
        body: as it came.
        content_type: the header, ``None`` without one.

    Returns:
        ``None`` for an empty body.

    Raises:
        BadRequest: not declared as JSON, not JSON, too deep, a number that JSON cannot hold, an
            object with colliding keys, or more in it than ``limits`` allows.
    """
    if not body.strip():
        return None
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadRequest(
            f"Content-Type specified ({content_type or ''}) must be 'application/json'"
        )
    try:
        read = json.loads(
            _decode(body), object_pairs_hook=_object, parse_constant=_refuse, parse_float=_number
        )
    except RecursionError:
        raise BadRequest("invalid JSON: nested too deeply") from None
    except ValueError as error:
        raise BadRequest(f"invalid JSON: {error}") from None
    if isinstance(read, _Colliding):
        raise _collision(read)
    _check_size(read)
    return read


def _check_size(read: Any) -> None:
    """Refuse more values in one list or object, or in the whole body, than ``limits`` allows.

    Raises:
        BadRequest: there are more.
    """
    waiting, values = [read], 0
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict | list):
            check_count(each, ENTRIES, "entries of one list or object")
            values += len(each)
            check_count(values, VALUES, "values")
            waiting += each.values() if isinstance(each, dict) else each


def _decode(body: bytes) -> str:
    """*body* as Go's decoder reads it: U+FFFD in place of invalid UTF-8."""
    text = body.decode("utf-8", "replace")
    if "\\u" not in text:
        return text
    return _ESCAPE.sub(lambda found: r"\ufffd" if found["half"] else found[0], text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    folded: set[str] = set()
    twice: str | None = None
    for key, value in pairs:
        name = key.lower()
        if name in folded:
            twice = key
        folded.add(name)
        if isinstance(value, _Colliding):
            if name not in _FREE_KEYS:
                raise _collision(value)
            read[key] = dict(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, _Colliding):
                    raise _collision(item)
    return read if twice is None else _Colliding(read, twice)


def _collision(read: _Colliding) -> BadRequest:
    return BadRequest(f"invalid JSON: {read.key!r} is given twice")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large")
    return number
