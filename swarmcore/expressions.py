"""Scheduling expressions, ``KEY==VALUE`` and ``KEY!=VALUE``: read once, matched many times.

The grammar and the meaning are Swarm classic's.  What a key stands for is the matter of the filter,
which brings the candidates that a value is matched against.
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

#: Longer ones are nobody's constraint, and would only make a large pattern.
LONGEST: Final = 4096

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]+")
#: Classic's, and ``@``: without it no digest could be named.
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
        key: what is looked at: ``node``, ``image``, a label.
        operator: ``==`` (some candidate matches) or ``!=`` (none does).
        value: without the soft mark.
        soft: whether it is a preference.
    """

    key: str
    operator: Operator
    value: str
    soft: bool
    _test: Callable[[str], bool] | None = field(compare=False, repr=False)

    def matches(self, candidates: Collection[str]) -> bool:
        """Whether the expression holds for *candidates*; a set makes a plain value one look-up."""
        return self._found(candidates) is (self.operator == "==")

    def _found(self, candidates: Collection[str]) -> bool:
        if self.value in candidates:  # a label such as "c++" is equal whatever its signs may mean
            return True
        return self._test is not None and any_passes(candidates, self._test)

    def __str__(self) -> str:
        """As classic would be given it, on one line: ``zone==~b``."""
        text = f"{self.key}{self.operator}{'~' if self.soft else ''}{self.value}"
        return " ".join(text.split())


def parse(text: str) -> Expression:
    """Read one expression.

    Args:
        text: ``KEY (==|!=) [~] VALUE``.  A value between slashes is an RE2 regular expression that
            may match anywhere; in any other value ``*`` stands for any text, the rest is a regular
            expression too (as classic has it), and the whole candidate must match.  A candidate
            that equals the value matches in any case, so ``lang==c++`` means the label's text.

    Raises:
        BadRequest: malformed; the message names the expression, what is wrong with it and where,
            and the nearest one that is well-formed.
    """
    if len(text) > LONGEST:
        raise BadRequest(f"expression {text[:40]!r}...: {len(text)} characters, at most {LONGEST}")
    try:
        return _read(text)
    except _FaultError as fault:
        hint = f"did you mean {nearest}?" if (nearest := _nearest(text)) else _FORM
        raise BadRequest(f"expression {text!r}: {fault} (character {fault.at}); {hint}") from None


class _FaultError(ValueError):
    """What is wrong, and at which character, counted from 1."""

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
    """The well-formed expression that *text* may have been meant as; empty when none is near."""
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
    """Whether all candidates must be looked at for an expression: its value is no plain text."""
    return _PLAIN.fullmatch(_value_of(text)) is None


def is_pattern(text: str) -> bool:
    """Whether the value of an expression is a pattern that has more to it than a single star."""
    beginning, _, end = _value_of(text).partition("*")
    return _PLAIN.fullmatch(beginning + end) is None


def _value_of(text: str) -> str:
    """The value of an expression, without its soft mark; empty where there is no operator."""
    return text.partition("==" if "==" in text else "!=")[2].lstrip("~")


@lru_cache(maxsize=256)
def _compile(value: str) -> Callable[[str], bool] | None:
    """A test of one candidate; ``None`` for a value that matches only itself.

    The same for the same value: ``Texts`` remember what it found.

    Raises:
        PatternError: no regular expression between the slashes, or a bracket without its partner.
    """
    if len(value) > 1 and value.startswith("/") and value.endswith("/"):
        return searcher(value[1:-1])
    if _PLAIN.fullmatch(value):
        return None
    beginning, _, end = value.partition("*")
    if "*" in value and _PLAIN.fullmatch(beginning + end):
        return _between(beginning, end)
    # Not grouped: 'a|b' is "begins with a, or ends with b" in classic, and stays so.
    try:
        return searcher(f"^{value.replace('*', '.*')}$")
    except PatternError:
        if _BRACKETS.search(value):
            raise
        return None  # "c++" is a name, no slip of the pen


def _between(beginning: str, end: str) -> Callable[[str], bool]:
    """The common case of one star, several times faster than a pattern."""
    shortest = len(beginning) + len(end)

    def test(candidate: str) -> bool:
        return (
            candidate.startswith(beginning)
            and candidate.endswith(end)
            and len(candidate) >= shortest
            and "\n" not in candidate[len(beginning) :]  # which a star does not stand for
        )

    return test
