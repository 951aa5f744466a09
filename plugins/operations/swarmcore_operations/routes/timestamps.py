"""Formats times for JSON."""

from datetime import UTC, datetime


def show_moment(seconds: float) -> str:
    """RFC 3339 in UTC; empty for 0, which stands for never or unknown.

    Args:
        seconds: Unix seconds.
    """
    if not seconds:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
