"""What ``--cluster-opt`` says about weights: ``swarm.weight.NAME``, ``swarm.carry``.  Pure."""

import math
from collections.abc import Iterable, Mapping

from swarmcore.errors import ConfigError

_PREFIX = "swarm.weight."
_CARRY = "swarm.carry"
#: What the core can weigh beside the strategy; plugins bring more.
CORE_WEIGHTS = ("image", "failures")
#: Either way.  The strategy counts 1: a million is already "always", and sums stay exact numbers.
_MOST = 1_000_000


def read_multipliers(cluster_opts: Mapping[str, str]) -> dict[str, float]:
    """How much each weigher counts, by name; one that is not named counts nothing.

    Raises:
        ConfigError: no number, or too large a one.
    """
    given = {
        key.removeprefix(_PREFIX): text
        for key, text in cluster_opts.items()
        if key.startswith(_PREFIX)
    }
    return {name: _number(_PREFIX + name, text) for name, text in given.items()}


def check_weights(multipliers: Mapping[str, float], added: Iterable[str]) -> None:
    """Refuse a multiplier of nothing.

    Args:
        multipliers: by the name of the weigher.
        added: names of the weighers that plugins have brought.

    Raises:
        ConfigError: there is no such weigher.
    """
    known = [*CORE_WEIGHTS, *added]
    for name in multipliers:
        if name not in known:
            raise ConfigError(f"no weight is called {_PREFIX}{name}; known: {', '.join(known)}")


def read_carry(cluster_opts: Mapping[str, str], *, classic: bool) -> float:
    """By how much a node must be better than the best one with an image for that to be carried.

    Classic carried no image: containers went where it was.

    Raises:
        ConfigError: no number, negative, or too large.
    """
    text = cluster_opts.get(_CARRY, str(_MOST if classic else 1))
    number = _number(_CARRY, text)
    if number < 0:
        raise ConfigError(f"{_CARRY} can not be negative, {text!r} is invalid")
    return number


def _number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{key} should be a number such as 1.5, {text!r} is invalid")
    if abs(number) > _MOST:
        raise ConfigError(f"{key} should be from -{_MOST} to {_MOST}, {text!r} is invalid")
    return number
