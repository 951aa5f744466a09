"""Scheduling expressions, ``KEY==VALUE`` and ``KEY!=VALUE``: parsed once, matched many times.

Grammar and meaning are Swarm classic's.  A filter interprets the key and provides the candidates
that are matched against the value.
"""

import contextlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from swarmcore.errors import BadRequest
from swarmcore.match_cache import any_passes
from swarmcore.patterns import PatternError, searcher

Operator = Literal["==", "!="]

#: Maximum length of an expression; limits the size of patterns.
LONGEST: Final = 4096

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]+")
#: Swarm classic's characters, and ``@``, which digests need.
_VALUE = re.compile(r"[=!/]?~?[A-Za-z0-9:_.*/()?+\[\]\\^$|@\s-]+", re.ASCII)
#: Characters not allowed in a value.  Operator characters are excluded: they indicate a different
#: mistake.
_ODD_CHARACTER = re.compile(r"[^A-Za-z0-9:_.*/()?+\[\]\\^$|@\s=!~-]", re.ASCII)
_PLAIN = re.compile(r"[^\\.*()?+\[\]^$|]*")
_BRACKETS = re.compile(r"[\\()\[\]]")
_FORM = "write KEY==VALUE or KEY!=VALUE, e.g. zone==b, node!=web-*, zone==/^(a|b)$/, zone==~b"


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression.

    Attributes:
        key: what is tested: ``node``, ``image``, or a label.
        operator: ``==`` (a candidate matches) or ``!=`` (no candidate matches).
        value: the value without ``~``.
        soft: whether it is a preference.
    """

    key: str
    operator: Operator
    value: str
    soft: bool
    _test: Callable[[str], bool] | None = field(compare=False, repr=False)

    def matches(self, candidates: Collection[str]) -> bool:
        """Whether the expression holds for *candidates*; for a set, a plain value is fast."""
        return self._found(candidates) is (self.operator == "==")

    def _found(self, candidates: Collection[str]) -> bool:
        if self.value in candidates:  # equal texts match, such as "c++", which is no valid pattern
            return True
        return self._test is not None and any_passes(candidates, self._test)

    def __str__(self) -> str:
        """The expression on one line, as a client would write it: ``zone==~b``."""
        text = f"{self.key}{self.operator}{'~' if self.soft else ''}{self.value}"
        return " ".join(text.split())


def parse(text: str) -> Expression:
    """Parse one expression.

    Args:
        text: ``KEY (==|!=) [~] VALUE``.  A value between slashes is an RE2 regular expression that
            may match any part of a candidate.  In other values ``*`` stands for any text, the rest
            is a regular expression too, as in Swarm classic, and the whole candidate must match.
            A candidate that is equal to the value always matches, so ``lang==c++`` works.

    Raises:
        BadRequest: malformed; the message has the expression, the error with its position, and the
            most similar valid expression.
    """
    if len(text) > LONGEST:
        raise BadRequest(f"expression {text[:40]!r}...: {len(text)} characters, at most {LONGEST}")
    try:
        return _read(text)
    except _FaultError as fault:
        hint = f"did you mean {nearest}?" if (nearest := _nearest(text)) else _FORM
        raise BadRequest(f"expression {text!r}: {fault} (character {fault.at}); {hint}") from None


class _FaultError(ValueError):
    """A syntax error, with the number of the character, counted from 1."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def _read(text: str) -> Expression:
    operator: Operator = "==" if "==" in text else "!="
    key, found, value = text.partition(operator)
    if not found:
        sign = re.search("[=!<>]", text)
        at = sign.start() if sign else len(text)
        raise _FaultError("One of operator ==, != is expected", at + 1)
    if not _KEY.fullmatch(key):
        read = re.match(r"[A-Za-z_][A-Za-z0-9_.-]*", key)
        raise _FaultError(
            f"Key {key!r} is invalid: two or more of letters, digits, '-', '_' and '.', the first a"
            " letter or '_'",
            (read.end() if read else 0) + 1,
        )
    start = len(key) + len(operator)
    if not _VALUE.fullmatch(value):
        is_empty = not value.strip("=!/~")
        what = f"Value {value!r} is invalid{' because it is empty' if is_empty else ''}"
        read = None if is_empty else _VALUE.match(value) or re.match("~?", value)
        raise _FaultError(what, start + (read.end() if read else 0) + 1)
    soft, plain = value.startswith("~"), value.lstrip("~")
    try:
        return Expression(key, operator, plain, soft, _compile(plain))
    except PatternError as error:
        what = f"{plain!r} is not a regular expression: {error}"
        raise _FaultError(what, start + soft + 1) from None


def _nearest(text: str) -> str:
    """A valid expression that *text* may have been meant as; empty if there is none."""
    key, sign, value = (*re.split(r"\s*(==|!=|<>|=|!)\s*", text, maxsplit=1), "", "")[:3]
    value = re.sub("^~+", "~", " ".join(value.split()))
    operator = "==" if sign in ("=", "==") else "!="
    for meant in (value, _ODD_CHARACTER.sub(".", value), re.sub(r"([][()+?|^\\])", r"\\\1", value)):
        near = f"{key.strip()}{operator}{meant}"
        with contextlib.suppress(_FaultError):
            _read(near)
            return near
    return ""


def is_searched(text: str) -> bool:
    """Whether the value is not plain text, so that every candidate must be matched."""
    return _PLAIN.fullmatch(_value_of(text)) is None


def is_pattern(text: str) -> bool:
    """Whether the value is a pattern other than plain text with one ``*``."""
    beginning, _, end = _value_of(text).partition("*")
    return _PLAIN.fullmatch(beginning + end) is None


def _value_of(text: str) -> str:
    """The value of an expression without ``~``; empty if there is no operator."""
    return text.partition("==" if "==" in text else "!=")[2].lstrip("~")


@lru_cache(maxsize=256)
def _compile(value: str) -> Callable[[str], bool] | None:
    """A test of one candidate; ``None`` for a value that matches only itself.

    Returns the same function for the same value, as ``Texts`` caches results by function.

    Raises:
        PatternError: not a regular expression between the slashes, or an unbalanced bracket.
    """
    if len(value) > 1 and value.startswith("/") and value.endswith("/"):
        return searcher(value[1:-1])
    if _PLAIN.fullmatch(value):
        return None
    beginning, _, end = value.partition("*")
    if "*" in value and _PLAIN.fullmatch(beginning + end):
        return _between(beginning, end)
    # No group is added: in classic 'a|b' means "begins with a, or ends with b".
    try:
        return searcher(f"^{value.replace('*', '.*')}$")
    except PatternError:
        if _BRACKETS.search(value):
            raise
        return None  # plain text such as "c++"


def _between(beginning: str, end: str) -> Callable[[str], bool]:
    """A test for a value with one ``*``; several times faster than a pattern."""
    shortest = len(beginning) + len(end)

    def test(candidate: str) -> bool:
        return (
            candidate.startswith(beginning)
            and candidate.endswith(end)
            and len(candidate) >= shortest
            and "\n" not in candidate[len(beginning) :]  # ``*`` does not match line breaks
        )

    return test
