"""Docker API versions: read one from a path, compare, clamp.  Numbers, never text order."""

import re
from typing import NamedTuple

_PREFIX = re.compile(r"/v([0-9]+)\.([0-9]+)(?=/)")
_MOST_DIGITS = 100
_TEXT = re.compile(r"([0-9]+)\.([0-9]+)")


class ApiVersion(NamedTuple):
    """A Docker API version; compares number by number, so 1.9 < 1.24."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: The newest version whose merging and rewriting code exists here: Engine 28.3 to 28.5.
CEILING = ApiVersion(1, 51)
#: The oldest version that every fleet accepts in a path: what clients fall back to without an
#: Api-Version header.  Where all engines speak older ones, so does the manager.
FLOOR = ApiVersion(1, 24)
#: The first version whose errors are JSON; engines tell older clients the text alone.
JSON_ERRORS = ApiVersion(1, 24)


def parse_version(text: str) -> ApiVersion | None:
    """Read ``1.41``; ``None`` when *text* is not of that form."""
    found = _TEXT.fullmatch(text)
    return _version(found) if found else None


def split_version(path: str) -> tuple[ApiVersion | None, str]:
    """Take the ``/v1.41`` prefix off a path.

    Returns:
        The version, or ``None`` without a prefix, and the rest of the path with its slash.
    """
    found = _PREFIX.match(path)
    if not found:
        return None, path
    return _version(found), path[found.end() :]


def _version(found: re.Match[str]) -> ApiVersion:
    return ApiVersion(_number(found[1]), _number(found[2]))


def _number(digits: str) -> int:
    """A number; one that is too long to be read is larger than any other."""
    return (
        10**_MOST_DIGITS if len(digits.lstrip("0")) > _MOST_DIGITS else int(digits[-_MOST_DIGITS:])
    )


def clamp(version: ApiVersion, lowest: ApiVersion, highest: ApiVersion) -> ApiVersion:
    """The version nearest to *version* that an engine speaking *lowest* to *highest* accepts."""
    return min(max(version, lowest), highest)
