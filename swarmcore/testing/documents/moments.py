"""Times and durations in the forms that Docker writes."""

from datetime import UTC, datetime

NANO = 1_000_000_000

#: The zero value of Go's time, which engines write for "never".
NEVER = "0001-01-01T00:00:00Z"

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

#: From (seconds), unit (seconds), name of the unit; as in Docker's units package.
_UNITS = (
    (2 * 365 * _DAY, 365 * _DAY, "years"),
    (60 * _DAY, 30 * _DAY, "months"),
    (14 * _DAY, 7 * _DAY, "weeks"),
    (2 * _DAY, _DAY, "days"),
)


def timestamp(time_nano: int) -> str:
    """Return RFC 3339 with nanoseconds; like Go, without zeros at the end of the fraction.

    Args:
        time_nano: Unix nanoseconds; 0 gives ``NEVER``.
    """
    if not time_nano:
        return NEVER
    seconds, nano = divmod(time_nano, NANO)
    fraction = f".{nano:09d}".rstrip("0").rstrip(".")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def duration(seconds: float) -> str:
    """Return a duration as ``docker ps`` shows it: ``3 minutes``, ``About an hour``."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole == 1:
        return "1 second"
    if whole < _MINUTE:
        return f"{whole} seconds"
    if whole < 2 * _MINUTE:
        return "About a minute"
    if whole < _HOUR:
        return f"{whole // _MINUTE} minutes"
    hours = int(seconds / _HOUR + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 2 * 24:
        return f"{hours} hours"
    for least, unit, name in _UNITS:
        if hours * _HOUR >= least:
            return f"{hours * _HOUR // unit} {name}"
    raise AssertionError(seconds)
