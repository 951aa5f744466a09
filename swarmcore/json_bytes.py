"""Reads and writes JSON as bytes, by orjson; JSON that orjson refuses is left to ``json``.

``json`` accepts more than orjson: a half of a surrogate pair, ``NaN``, whole numbers of more than
64 bits.  Engines do not send these today; if one does, the result is the same as before orjson was
used.  ``docs/decisions/0012-documents-of-containers.md`` has the measurements.  Pure.
"""

import json
from typing import Any

import orjson


def read_json(body: bytes) -> Any:
    """Parse *body*.

    Raises:
        ValueError: not JSON.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        return json.loads(body)


def write_json(value: Any) -> bytes:
    """Compact JSON without a newline; characters outside ASCII are not escaped.

    Raises:
        TypeError, ValueError: *value* has no form in JSON.
    """
    try:
        # A copy: orjson shortens a larger buffer, so that a kept row of 1 KB would take 3.4 KB.
        return bytes(memoryview(orjson.dumps(value)))
    except TypeError:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
