"""The first JSON object of a body that goes on as it came.  Pure.

For a body whose fields matter here and whose faults are the engine's to name: releases differ in
what they forgive.  Release 20.10 takes the first object and passes over what follows.
"""

import json
from typing import Any

from swarmcore.errors import BadRequest

_SPACE = " \t\r\n"


def read_first_object(body: bytes) -> dict[str, Any]:
    """What an engine may read of *body*; empty where none of them can read anything.

    Raises:
        BadRequest: it is nested too deeply to be read here.
    """
    try:
        text = body.decode("utf-8", "replace").lstrip(_SPACE)
        value, _ = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        raise BadRequest("invalid JSON: nested too deeply") from None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
