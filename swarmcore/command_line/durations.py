"""Durations as classic's options are written: ``500ms``, ``90s``, ``1m30s``; Go's grammar.

Knows text and seconds.  Refuses to know which duration is sensible for what.  Pure.
"""

import re

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "\u00b5s": 1e-6,  # the micro sign
    "\u03bcs": 1e-6,  # the Greek letter that looks like it
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]+)", re.ASCII)

#: Go counts nanoseconds in 63 bits: about 292 years.
_LONGEST_SECONDS = 2**63 / 1e9


def parse_duration(text: str) -> float:
    """Read a duration.

    Args:
        text: an optional sign, then numbers each with a unit (``ns us ms s m h``); a bare ``0``
            needs no unit.

    Returns:
        Seconds; negative where the text is.

    Raises:
        ValueError: malformed; the message names the text and the rule.
    """
    sign, body = -1.0 if text.startswith("-") else 1.0, text.lstrip("+-")
    if len(text) - len(body) > 1 or not body:
        raise ValueError(f"{text!r} is not a duration; write 90s or 1m30s")
    if body == "0":
        return 0.0
    seconds, end = 0.0, 0
    for part in _PART.finditer(body):
        if part.start() != end:
            break
        if part[2] not in _UNITS:
            raise ValueError(f"{text!r}: unknown unit {part[2]!r}; known: ns, us, ms, s, m, h")
        seconds, end = seconds + float(part[1]) * _UNITS[part[2]], part.end()
    if end != len(body):
        numeric = re.fullmatch(r"[0-9.]+", body[end:], re.ASCII)
        what = "has a number without a unit" if numeric else "is not a duration"
        raise ValueError(f"{text!r} {what}; write 90s or 1m30s")
    if seconds > _LONGEST_SECONDS:
        raise ValueError(f"{text!r} is longer than 292 years")
    return sign * seconds
