"""Moments as Docker writes them: RFC 3339 in documents, four forms in queries.  No clock here."""

import re
from datetime import UTC, datetime

from swarmcore.errors import BadRequest, SwarmError

#: Go's zero time means "never"; an engine whose clock was corrected may shift it by a little.
_NEVER_BEFORE = datetime(1970, 1, 2, tzinfo=UTC).timestamp()
#: The second that engines take for a moment that nobody gave.
_NOT_GIVEN = -1
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_UNIX = re.compile(r"([+-]?[0-9]{1,20})(?:\.([+-]?[0-9]{1,20}))?")
#: Engines read the seconds into 64 bits; a client that sends milliseconds means the far future.
_INT64 = 1 << 63


def parse_moment(text: str | None) -> float | None:
    """Read a time of an inspect document.

    Args:
        text: RFC 3339 with any number of decimals.

    Returns:
        Unix seconds; ``None`` for Go's zero time, nothing, or what is not a time.
    """
    try:
        moment = datetime.fromisoformat(text or "").timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment > _NEVER_BEFORE else None


def parse_when(text: str, now: float, parameter: str) -> float | None:
    """Read ``since`` or ``until``: Unix seconds, RFC 3339, or a Go duration before now.

    Args:
        text: the query's value.
        now: Unix seconds.
        parameter: its name, for the error.

    Returns:
        Unix seconds, or ``None`` for an empty text or -1, which an engine reads as "not given".

    Raises:
        BadRequest: none of the forms.
        SwarmError: seconds beyond 64 bits, in an engine's words.
    """
    if not text:
        return None
    if found := _UNIX.fullmatch(text):
        return _read_unix(found[1], found[2] or "0", text)
    ago = _parse_duration(text)
    if ago is not None:
        return now - ago
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"invalid value {text!r} for {parameter}: not a time") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _read_unix(seconds: str, fraction: str, text: str) -> float | None:
    """Unix seconds as an engine reads them, with any number of decimals; ``None`` for -1."""
    whole = int(seconds)
    if not -_INT64 <= whole < _INT64:
        raise SwarmError(f'strconv.ParseInt: parsing "{text}": value out of range')
    if whole == _NOT_GIVEN:
        return None
    return whole + int(fraction) * 10.0 ** -len(fraction)


def _parse_duration(text: str) -> float | None:
    """A Go duration, ``1h30m``, in seconds; ``None`` when it is not one."""
    at, total = 0, 0.0
    while at < len(text):
        part = _DURATION_PART.match(text, at)
        if not part:
            return None
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    return total
