"""Regular expressions of clients, matched with RE2.

RE2's run time is linear in the length of the text, whatever the pattern.  Docker Engine and Swarm
classic use the same dialect.
"""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import re2  # type: ignore[import-untyped]

#: Memory limit of one pattern in bytes.  Larger patterns have nested repetitions and take
#: milliseconds for one long text.
_PATTERN_BYTES = 128 * 1024
#: Memory limit of several patterns joined into one.
_UNION_BYTES = 1024 * 1024
_PLAIN = re.compile(r"[\w/:-]*", re.ASCII)


class PatternError(ValueError):
    """Not a valid regular expression; the text is RE2's reason."""


class PatternTooLargeError(PatternError):
    """A regular expression that exceeds the memory limit."""


def searcher(pattern: str) -> Callable[[str], bool]:
    """A test whether a text contains a match of *pattern*.

    Raises:
        PatternError: malformed, or (``PatternTooLargeError``) too large.
    """
    return _searcher(pattern, _PATTERN_BYTES)


def is_plain(value: str) -> bool:
    """Whether *value* as a regular expression matches only its own text."""
    return _PLAIN.fullmatch(value) is not None


def matcher(values: Collection[str]) -> Callable[[str], bool]:
    """A test whether a text contains a match of one of *values*.

    A value that is not a valid regular expression matches nothing, as on engines.

    Raises:
        PatternTooLargeError: a value exceeds the memory limit.
    """
    parts = [value for value in values if is_plain(value)]  # five times as fast as patterns
    patterns = [value for value in values if not is_plain(value)]
    if not patterns:
        return lambda text: any(part in text for part in parts)
    found = _union(patterns)
    return lambda text: any(part in text for part in parts) or found(text)


def _union(patterns: Collection[str]) -> Callable[[str], bool]:
    """A test whether a text contains a match of one of *patterns*; one search if possible."""
    valid, tests = [], []
    for pattern in patterns:
        try:
            tests.append(searcher(pattern))
            valid.append(f"(?:{pattern})")
        except PatternTooLargeError:
            raise
        except PatternError:
            continue
    if len(valid) > 1:
        with suppress(PatternError):
            return _searcher("|".join(valid), _UNION_BYTES)
    return lambda text: any(test(text) for test in tests)


def _searcher(pattern: str, most_bytes: int) -> Callable[[str], bool]:
    try:
        search = re2.compile(_encoded(pattern), _options(most_bytes)).search
    except re2.error as error:
        reason = _reason(error)
        kind = PatternTooLargeError if "too large" in reason else PatternError
        raise kind(reason) from None
    return lambda text: search(_encoded(text)) is not None


def _encoded(text: str) -> bytes:
    # JSON of an engine may have unpaired surrogates, which cannot be encoded.
    return text.encode("utf-8", "replace")


def _options(most_bytes: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = most_bytes
    return options


def _reason(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
