"""What ``--cluster-opt`` says about weights: ``swarm.weight.NAME``, ``swarm.spread``."""

import math
from collections.abc import Mapping

from swarmcore.errors import ConfigError

_PREFIX = "swarm.weight."
#: What can be weighed beside the strategy.
NAMES = ("image", "failures")
#: Either way.  The strategy counts 1: a million is already "always", and sums stay exact numbers.
_MOST = 1_000_000


def read_multipliers(cluster_opts: Mapping[str, str]) -> dict[str, float]:
    """How much each weigher counts, by name; one that is not named counts nothing.

    Raises:
        ConfigError: no such weigher, no number, or too large a one.
    """
    given = {
        key.removeprefix(_PREFIX): text
        for key, text in cluster_opts.items()
        if key.startswith(_PREFIX)
    }
    for name in given.keys() - set(NAMES):
        raise ConfigError(f"no weight is called {_PREFIX}{name}; known: {', '.join(NAMES)}")
    return {name: _number(name, text) for name, text in given.items()}


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{_PREFIX}{name} should be a number such as 1.5, {text!r} is invalid")
    if abs(number) > _MOST:
        raise ConfigError(
            f"{_PREFIX}{name} should be from -{_MOST} to {_MOST}, {text!r} is invalid"
        )
    return number
