"""Numbers in queries as Go's ``strconv`` reads them, and what engines say of others."""

import re
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
