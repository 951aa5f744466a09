"""How much one request may bring: what a list, a query or an expression may have at most.

A decision and a list take time for each of these, and everybody waits meanwhile.  Docker's own
clients stay far below.  ``docs/api.md`` has the table.  What a connection may bring is in
``http.server.limits``.
"""

from collections.abc import Sized
from typing import Final

from swarmcore.errors import BadRequest

#: Parameters of a query.
PARAMETERS: Final = 1_000
#: Values of ``filters``, all keys together.
FILTER_VALUES: Final = 1_000
#: Of these, how many of one key are patterns: regular expressions, or references with wildcards.
FILTER_PATTERNS: Final = 100
#: Expressions of one create: constraints, affinities and whitelists together.
EXPRESSIONS: Final = 64
#: Of these, how many are patterns beyond a single star: each is looked for in every node's words.
EXPRESSION_PATTERNS: Final = 8
#: Entries of ``Binds`` and ``Mounts`` of one create together.
MOUNTS: Final = 1_000
#: Volumes, networks, containers and images that one create names: each is looked for on every node.
REFERENCES: Final = 100
#: Entries of any one list or object in a JSON body: a range of ports has as many.
ENTRIES: Final = 20_000
#: Values in a JSON body, all together.
VALUES: Final = 200_000


def check_count(count: int | Sized, most: int, what: str) -> None:
    """Refuse more than *most* of something.

    Args:
        count: how many there are, or what has a length.
        most: one of the limits above.
        what: names them, for the text: ``filters``.

    Raises:
        BadRequest: there are more.
    """
    number = count if isinstance(count, int) else len(count)
    if number > most:
        raise BadRequest(f"{number} {what} in one request: at most {most} are allowed")
