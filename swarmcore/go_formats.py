"""Parses texts as Go's standard library does: numbers, booleans, times, durations, ``path.Match``.

Command-line options and query values have these forms.  Errors about query values have the texts of
Go's library, which clients show.  Pure.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

from swarmcore.errors import SwarmError

_SIGNED, _UNSIGNED = re.compile(r"[+-]?[0-9]+", re.ASCII), re.compile(r"[0-9]+", re.ASCII)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
#: Numbers with more digits are out of range and not computed.
_MOST_DIGITS: Final = 40
#: Go's zero time means "never"; it may be slightly off if an engine's clock was corrected.
_NEVER_BEFORE = datetime(1970, 1, 2, tzinfo=UTC).timestamp()
#: Engines read this number of seconds as "not given".
_NOT_GIVEN = -1
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
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]+)", re.ASCII)
#: Go stores nanoseconds in 63 bits, which is about 292 years.
_LONGEST_SECONDS = 2**63 / 1e9
_UNIX = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_CharTest = Callable[[str], bool]
_SIGNS = frozenset("*?[\\")
_MALFORMED = "syntax error in pattern"


class BadValue(SwarmError):
    """A malformed value that engines answer with status 500."""

    status = 500


class NumberError(ValueError):
    """The text is not a number, or out of range."""


def parse_int(text: str, function: Literal["Atoi", "ParseInt"] = "ParseInt") -> int:
    """Parse a signed 64-bit number.

    Args:
        text: digits, with or without a sign.
        function: the function of Go's ``strconv`` that engines use, for the error text.

    Raises:
        NumberError: not such a number.
    """
    return _parse(text, function, _SIGNED, -(1 << 63), (1 << 63) - 1)


def parse_port(text: str) -> int:
    """Parse an unsigned 16-bit number.

    Raises:
        NumberError: not such a number.
    """
    return _parse(text, "ParseUint", _UNSIGNED, 0, (1 << 16) - 1)


def parse_bool(text: str) -> bool:
    """Parse ``1``, ``t``, ``T``, ``true``, ``TRUE``, ``True``, or the corresponding false value.

    Raises:
        ValueError: any other text.
    """
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def _parse(text: str, function: str, form: re.Pattern[str], lowest: int, highest: int) -> int:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    error = f'strconv.{function}: parsing "{quoted}"'
    if not form.fullmatch(text):
        raise NumberError(f"{error}: invalid syntax")
    digits = text.lstrip("+-0") or "0"
    number = int(digits) if len(digits) < _MOST_DIGITS else 2 * (highest + 1)
    if text.startswith("-"):
        number = -number
    if not lowest <= number <= highest:
        raise NumberError(f"{error}: value out of range")
    return number


def parse_time(text: str | None) -> float | None:
    """Parse a time of an inspected object.

    Args:
        text: RFC 3339 with any number of decimals.

    Returns:
        Unix seconds; ``None`` for Go's zero time, an empty text, or a text that is not a time.
    """
    try:
        moment = datetime.fromisoformat(text or "").timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment > _NEVER_BEFORE else None


def parse_unix_seconds(text: str) -> float | None:
    """Parse ``since`` or ``until`` of a stream: Unix seconds, with or without a fraction.

    Args:
        text: the query value.

    Returns:
        Unix seconds; ``None`` for an empty text or -1, which engines treat as "not given".

    Raises:
        BadValue: not a number.
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


def parse_time_or_duration(text: str, now: float) -> float:
    """Parse the filter ``until``: Unix seconds, RFC 3339, or a Go duration before now.

    Args:
        text: the filter value.
        now: Unix seconds.

    Returns:
        Unix seconds.

    Raises:
        BadValue: none of these forms.
    """
    if _UNIX.fullmatch(text):
        return float(text)
    with contextlib.suppress(ValueError):
        return now - parse_duration(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(f'failed to parse value as time or duration: "{text}"') from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def parse_duration(text: str) -> float:
    """Parse a duration such as ``500ms``, ``90s`` or ``1m30s``.

    Args:
        text: an optional sign, then numbers each with a unit (``ns us ms s m h``); ``0`` needs no
            unit.

    Returns:
        Seconds; may be negative.

    Raises:
        ValueError: malformed; the message has the text and the rule.
    """
    sign, body = -1.0 if text.startswith("-") else 1.0, text.lstrip("+-")
    if len(text) - len(body) > 1 or not body:
        raise ValueError(f"{text!r} is not a duration; write 90s or 1m30s")
    if body == "0":
        return 0.0
    seconds, end = 0.0, 0
    for part in _DURATION_PART.finditer(body):
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


class Glob:
    """A pattern of Go's ``path.Match``, in which ``*`` and ``?`` do not match slashes.

    It is not translated to a regular expression: patterns come from clients, and this algorithm
    takes at most pattern length times text length steps.

    Args:
        pattern: for example ``team/*:1``.

    Raises:
        BadValue: malformed, for example an unclosed ``[``.
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
    """Whether *pattern* may match a text other than itself."""
    return not _SIGNS.isdisjoint(pattern)


def _split(pattern: str) -> list[str | _CharTest]:
    """Split a pattern into ``*`` and tests of one character."""
    tokens: list[str | _CharTest] = []
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


def _read_class(pattern: str, at: int) -> tuple[_CharTest, int]:
    """Parse a ``[...]`` after its bracket; return its test and the index after its end."""
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
