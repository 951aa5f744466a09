"""Docker API versions: read one from a path, compare, clamp.  Numbers, never text order."""

import re
from typing import NamedTuple

_PREFIX = re.compile(r"/v([0-9]+)\.([0-9]+)(?=/)")
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
    return ApiVersion(int(found[1]), int(found[2])) if found else None


def split_version(path: str) -> tuple[ApiVersion | None, str]:
    """Take the ``/v1.41`` prefix off a path.

    Returns:
        The version, or ``None`` without a prefix, and the rest of the path with its slash.
    """
    found = _PREFIX.match(path)
    if not found:
        return None, path
    return ApiVersion(int(found[1]), int(found[2])), path[found.end() :]


def clamp(version: ApiVersion, lowest: ApiVersion, highest: ApiVersion) -> ApiVersion:
    """The version nearest to *version* that an engine speaking *lowest* to *highest* accepts."""
    return min(max(version, lowest), highest)
