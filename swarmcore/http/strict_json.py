"""Parses JSON request bodies strictly, so that engines read the same values as the manager.

Go matches JSON keys in any case, and the last of two equal keys counts.  With a body that has
``Memory`` twice, a scheduler and an engine could read different numbers.  Such a body is refused,
unless the keys are user data.  Pure.
"""

import json
import math
import re
from typing import Any, NoReturn

from swarmcore.errors import BadRequest
from swarmcore.request_limits import ENTRIES, VALUES, check_count

#: Members whose keys are user data, not field names: ``Labels: {"a": .., "A": ..}`` is allowed.
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

#: An escape in JSON text; distinguishes unpaired surrogates from pairs.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class _Colliding(dict[str, Any]):
    """An object with keys that differ only in case; whether that is allowed depends on its key."""

    def __init__(self, read: dict[str, Any], key: str) -> None:
        super().__init__(read)
        self.key = key


def parse_body(body: bytes, content_type: str | None) -> Any:
    """Parse a request body as JSON.

    Args:
        body: the body.
        content_type: the header's value; ``None`` without the header.

    Returns:
        The value; ``None`` for an empty body.

    Raises:
        BadRequest: not declared as JSON, not JSON, nested too deeply, a number that JSON does not
            allow, an object with colliding keys, or more values than ``request_limits`` allows.
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
    """Check the number of values in each list or object, and in the whole body.

    Raises:
        BadRequest: there are more than ``request_limits`` allows.
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
    """Decode *body* as Go does: invalid UTF-8 becomes U+FFFD."""
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
