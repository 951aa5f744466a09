"""``10.0.0.[1:3]:2375``: one text that stands for several, as classic's discovery writes them.

Knows brackets and numbers.  Refuses to know what an address is: a text without a range comes back
as it is, IPv6 in its brackets included.
"""

import re

from swarmcore.errors import ConfigError

_RANGE = re.compile(r"\[([0-9]+):([0-9]+)\]", re.ASCII)

#: More than the host part of a /16 is a slip of the pen, not a fleet.
LARGEST = 65_536


def expand(text: str) -> list[str]:
    """Every text that *text* stands for, ascending.

    Args:
        text: with at most one ``[FIRST:LAST]``, anywhere, both inclusive.  As in classic, zeros in
            front of a number are lost, an upside-down range stands for nothing, and two ranges in
            one text are none.

    Raises:
        ConfigError: the range is larger than ``LARGEST``.
    """
    ranges = list(_RANGE.finditer(text))
    if len(ranges) != 1:
        return [text]
    found = ranges[0]
    if max(len(found[1]), len(found[2])) > 18 or int(found[2]) - int(found[1]) >= LARGEST:
        raise ConfigError(f"{text!r}: a range may stand for {LARGEST} addresses at most")
    before, after = text[: found.start()], text[found.end() :]
    return [f"{before}{number}{after}" for number in range(int(found[1]), int(found[2]) + 1)]
