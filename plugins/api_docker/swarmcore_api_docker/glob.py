"""Go's ``path.Match``, which image filters use: ``*`` and ``?`` stop at a slash.

Written out rather than translated to a regular expression: a pattern comes from a client, and this
takes at most pattern times text steps whatever it is.
"""

from collections.abc import Callable

from swarmcore_api_docker.go_numbers import BadValue

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
