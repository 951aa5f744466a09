"""Limits on the number of items in one request.

Decisions and lists take time for each item and block all other requests meanwhile.  Docker's own
clients stay far below these limits.  They are listed in ``docs/api.md``; the limits of a connection
are in ``http.server.connection_limits``.
"""

from collections.abc import Mapping, Sized
from typing import Final

from swarmcore.errors import BadRequest

#: Parameters of a query string.
PARAMETERS: Final = 1_000
#: Values of ``filters``, over all keys.
FILTER_VALUES: Final = 1_000
#: Patterns (regular expressions, or references with wildcards) among the values of one key.
FILTER_PATTERNS: Final = 100
#: Expressions of one create: constraints, affinities and whitelists together.
EXPRESSIONS: Final = 64
#: Patterns among these, except plain texts with one ``*``; each is matched on every node.
EXPRESSION_PATTERNS: Final = 8
#: Entries of ``Binds`` and ``Mounts`` of one create together.
MOUNTS: Final = 1_000
#: Volumes, networks, containers and images that one create refers to; each is looked up everywhere.
REFERENCES: Final = 100
#: Bytes of the keys and values of the labels of one object.  Every event of a container has all its
#: labels, and lists have them in each answer; an event is at most 1 MiB.
LABEL_BYTES: Final = 524_288
#: Entries of one list or object in a JSON body; a range of ports may have that many.
ENTRIES: Final = 12_000
#: Values in a JSON body in total.
VALUES: Final = 200_000


def check_count(count: int | Sized, most: int, what: str) -> None:
    """Check a limit.

    Args:
        count: the number of items, or the collection.
        most: one of the limits above.
        what: name of the items for the error text.

    Raises:
        BadRequest: there are more than *most*.
    """
    number = count if isinstance(count, int) else len(count)
    if number > most:
        raise BadRequest(f"{number} {what} in one request: at most {most} are allowed")


def check_labels(labels: object) -> None:
    """Check the size of labels.

    Args:
        labels: the value of ``Labels``; other types than an object are left to others to refuse.

    Raises:
        BadRequest: they are larger than ``LABEL_BYTES``.
    """
    if not isinstance(labels, Mapping):
        return
    size = sum(
        len(str(text).encode("utf-8", "replace")) for pair in labels.items() for text in pair
    )
    if size > LABEL_BYTES:
        raise BadRequest(
            f"labels of {size} bytes in one request: at most {LABEL_BYTES} are allowed"
        )
