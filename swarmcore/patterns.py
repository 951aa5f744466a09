"""Regular expressions from clients, on RE2.

Its time grows with the text and not with the ingenuity of the pattern; it is also the dialect of
Docker Engine and of Swarm classic.
"""

from collections.abc import Callable
from typing import Any

import re2  # type: ignore[import-untyped]


class PatternError(ValueError):
    """Not a regular expression; the text is RE2's reason."""


def searcher(pattern: str) -> Callable[[str], bool]:
    """A test whether a text contains a match of *pattern*.

    Raises:
        PatternError: malformed, or it would take more memory than a client may have.
    """
    try:
        search = re2.compile(_encoded(pattern), _options()).search
    except re2.error as error:
        raise PatternError(_reason(error)) from None
    return lambda text: search(_encoded(text)) is not None


def _encoded(text: str) -> bytes:
    # An engine's JSON may have half a surrogate pair, which no encoding has.
    return text.encode("utf-8", "replace")


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = 1024 * 1024
    return options


def _reason(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
