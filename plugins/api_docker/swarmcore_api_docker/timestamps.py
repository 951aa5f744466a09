"""Moments as Docker writes them: RFC 3339 in documents, other forms in queries.  No clock here."""

import re
from datetime import UTC, datetime

from swarmcore_api_docker.go_numbers import BadValue, NumberError, parse_int

#: Go's zero time means "never"; an engine whose clock was corrected may shift it by a little.
_NEVER_BEFORE = datetime(1970, 1, 2, tzinfo=UTC).timestamp()
#: The second that engines take for a moment that nobody gave.
_NOT_GIVEN = -1
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_UNIX = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


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


def parse_seconds(text: str) -> float | None:
    """Read ``since`` or ``until`` of a stream: Unix seconds, with or without a fraction.

    Args:
        text: the query's value.

    Returns:
        Unix seconds, or ``None`` for an empty text or -1, which an engine reads as "not given".

    Raises:
        BadValue: not a number; an engine answers 500 to it.
    """
    if not text:
        return None
    whole, dot, fraction = text.partition(".")
    try:
        seconds = parse_int(whole)
        part = parse_int(fraction) if dot else 0
    except NumberError as error:
        raise BadValue(str(error)) from None
    return None if seconds == _NOT_GIVEN else seconds + part * 10.0 ** -len(fraction)


def parse_when(text: str, now: float) -> float:
    """Read the filter ``until``: Unix seconds, RFC 3339, or a Go duration before now.

    Args:
        text: the filter's value.
        now: Unix seconds.

    Returns:
        Unix seconds.

    Raises:
        BadValue: none of the forms; an engine answers 500 to it.
    """
    if _UNIX.fullmatch(text):
        return float(text)
    ago = _parse_duration(text)
    if ago is not None:
        return now - ago
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(f'failed to parse value as time or duration: "{text}"') from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _parse_duration(text: str) -> float | None:
    """A Go duration, ``1h30m``, in seconds; ``None`` when it is not one."""
    if not text:
        return None
    at, total = 0, 0.0
    while at < len(text):
        part = _DURATION_PART.match(text, at)
        if not part:
            return None
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    return total
