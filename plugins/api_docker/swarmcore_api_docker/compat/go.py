"""Values in queries as Go reads them: numbers, times, durations, ``path.Match``."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from swarmcore.errors import SwarmError

_SIGNED, _UNSIGNED = re.compile(r"[+-]?[0-9]+", re.ASCII), re.compile(r"[0-9]+", re.ASCII)
#: So many digits are out of any range.
_MOST_DIGITS: Final = 40


class BadValue(SwarmError):
    """A value of which an engine says that it failed itself: the status is the engine's."""

    status = 500


class NumberError(ValueError):
    """Not a number, or too large; the text is Go's."""


def parse_int(text: str, function: Literal["Atoi", "ParseInt"] = "ParseInt") -> int:
    """A signed number of 64 bits.

    Args:
        text: digits, with or without a sign.
        function: the one of Go's that an engine uses, for the error.

    Raises:
        NumberError: anything else.
    """
    return _parse(text, function, _SIGNED, -(1 << 63), (1 << 63) - 1)


def parse_port(text: str) -> int:
    """An unsigned number of 16 bits.

    Raises:
        NumberError: anything else.
    """
    return _parse(text, "ParseUint", _UNSIGNED, 0, (1 << 16) - 1)


def _parse(text: str, function: str, form: re.Pattern[str], lowest: int, highest: int) -> int:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    told = f'strconv.{function}: parsing "{quoted}"'
    if not form.fullmatch(text):
        raise NumberError(f"{told}: invalid syntax")
    digits = text.lstrip("+-0") or "0"
    number = int(digits) if len(digits) < _MOST_DIGITS else 2 * (highest + 1)
    if text.startswith("-"):
        number = -number
    if not lowest <= number <= highest:
        raise NumberError(f"{told}: value out of range")
    return number


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


_Single = Callable[[str], bool]
_SIGNS = frozenset("*?[\\")
_MALFORMED = "syntax error in pattern"


class Glob:
    """One pattern, read once.

    Args:
        pattern: as ``team/*:1``.

    Raises:
        BadValue: malformed, as an unclosed ``[``; an engine answers 500 to it.
    """

    def __init__(self, pattern: str) -> None:
        self._tokens = _split(pattern)

    def matches(self, text: str) -> bool:
        """Whether the whole of *text* matches."""
        tokens = self._tokens
        at, star, resume = 0, -1, 0
        here = 0
        while here < len(text):
            token = tokens[at] if at < len(tokens) else None
            if token == "*":
                star, resume = at, here
                at += 1
            elif callable(token) and token(text[here]):
                at += 1
                here += 1
            elif star >= 0 and text[resume] != "/":
                resume += 1
                at, here = star + 1, resume
            else:
                return False
        return all(token == "*" for token in tokens[at:])


def is_glob(pattern: str) -> bool:
    """Whether *pattern* may match more than its own text."""
    return not _SIGNS.isdisjoint(pattern)


def _split(pattern: str) -> list[str | _Single]:
    """The pattern as a list of ``*`` and of predicates of one character."""
    tokens: list[str | _Single] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            tokens.append("*")
        elif char == "?":
            tokens.append(_not_slash)
        elif char == "[":
            token, at = _read_class(pattern, at)
            tokens.append(token)
        elif char == "\\":
            if at == len(pattern):
                raise BadValue(_MALFORMED)
            tokens.append(pattern[at].__eq__)
            at += 1
        else:
            tokens.append(char.__eq__)
    return tokens


def _not_slash(char: str) -> bool:
    return char != "/"


def _read_class(pattern: str, at: int) -> tuple[_Single, int]:
    """A ``[...]`` from after its bracket; returns its predicate and where it ends."""
    negated = pattern[at : at + 1] == "^"
    at += negated
    ranges: list[tuple[str, str]] = []
    while pattern[at : at + 1] != "]" or not ranges:
        low, at = _read_char(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _read_char(pattern, at + 1)
        ranges.append((low, high))
    return (lambda char: any(a <= char <= b for a, b in ranges) != negated), at + 1


def _read_char(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at : at + 1] == "\\":
        at += 1
    if at >= len(pattern) or (pattern[at] in "]-" and pattern[at - 1] != "\\"):
        raise BadValue(_MALFORMED)
    return pattern[at], at + 1
