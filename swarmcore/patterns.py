"""Regular expressions from clients, on RE2.

Its time grows with the text and not with the ingenuity of the pattern; it is also the dialect of
Docker Engine and of Swarm classic.
"""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import re2  # type: ignore[import-untyped]

#: What a pattern may take, in bytes.  Larger ones are of repeated repetitions, each of which takes
#: milliseconds for one long text.
_PATTERN_BYTES = 128 * 1024
#: The same of many at once.
_UNION_BYTES = 1024 * 1024
_PLAIN = re.compile(r"[\w/:-]*", re.ASCII)


class PatternError(ValueError):
    """Not a regular expression; the text is RE2's reason."""


class PatternTooLargeError(PatternError):
    """A regular expression that would take more memory than a client may have."""


def searcher(pattern: str) -> Callable[[str], bool]:
    """A test whether a text contains a match of *pattern*.

    Raises:
        PatternError: malformed, or a ``PatternTooLargeError``.
    """
    return _searcher(pattern, _PATTERN_BYTES)


def is_plain(value: str) -> bool:
    """Whether *value* as a regular expression means its own text and nothing else."""
    return _PLAIN.fullmatch(value) is not None


def matcher(values: Collection[str]) -> Callable[[str], bool]:
    """A test whether a text contains a match of one of *values*.

    What is no regular expression matches nothing, as in an engine.

    Raises:
        PatternTooLargeError: one would take more memory than a client may have.
    """
    parts = [value for value in values if is_plain(value)]  # five times as fast as patterns
    patterns = [value for value in values if not is_plain(value)]
    if not patterns:
        return lambda text: any(part in text for part in parts)
    found = _union(patterns)
    return lambda text: any(part in text for part in parts) or found(text)


def _union(patterns: Collection[str]) -> Callable[[str], bool]:
    """A test whether a text contains a match of one of *patterns*: one search where possible."""
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
    # An engine's JSON may have half a surrogate pair, which no encoding has.
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
