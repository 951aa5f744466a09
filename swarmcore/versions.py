"""Docker API versions: parsing, comparing by numbers, limiting."""

import re
from typing import NamedTuple

_PREFIX = re.compile(r"/v([0-9]+)\.([0-9]+)(?=/)")
_MOST_DIGITS = 100
_TEXT = re.compile(r"([0-9]+)\.([0-9]+)")


class ApiVersion(NamedTuple):
    """A Docker API version; compared by numbers, so 1.9 < 1.24."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: The newest version that this manager supports: that of Engine 28.3 to 28.5.
CEILING = ApiVersion(1, 51)
#: The oldest version that is always accepted in a path; clients use it if an answer has no
#: Api-Version header.  If all engines support older versions, so does the manager.
FLOOR = ApiVersion(1, 24)
#: The first version in which errors are JSON; for older ones engines send plain text.
JSON_ERRORS = ApiVersion(1, 24)


def parse_version(text: str) -> ApiVersion | None:
    """Parse a version such as ``1.41``; ``None`` if *text* does not have that form."""
    found = _TEXT.fullmatch(text)
    return _version(found) if found else None


def split_version(path: str) -> tuple[ApiVersion | None, str]:
    """Split the ``/v1.41`` prefix off a path.

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
    """The value of *digits*; very long numbers are replaced by a larger constant."""
    return (
        10**_MOST_DIGITS if len(digits.lstrip("0")) > _MOST_DIGITS else int(digits[-_MOST_DIGITS:])
    )


def clamp(version: ApiVersion, lowest: ApiVersion, highest: ApiVersion) -> ApiVersion:
    """The version nearest to *version* in the range from *lowest* to *highest*."""
    return min(max(version, lowest), highest)
