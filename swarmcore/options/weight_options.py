"""The options ``swarm.weight.NAME`` and ``swarm.carry`` of ``--cluster-opt``.  Pure."""

import math
from collections.abc import Iterable, Mapping

from swarmcore.errors import ConfigError

#: Beginning of the keys; the name of a weigher follows.
WEIGHT = "swarm.weight."
_CARRY = "swarm.carry"
#: The core's weighers; plugins provide more.
CORE_WEIGHTS = ("image", "failures")
#: Largest absolute value.  The strategy has 1, so a million always prevails; sums stay exact.
_MOST = 1_000_000


def read_multipliers(cluster_opts: Mapping[str, str]) -> dict[str, float]:
    """The multiplier of each weigher, by name.

    Raises:
        ConfigError: not a number, or too large.
    """
    given = {
        key.removeprefix(WEIGHT): text
        for key, text in cluster_opts.items()
        if key.startswith(WEIGHT)
    }
    return {name: _number(WEIGHT + name, text) for name, text in given.items()}


def check_weights(multipliers: Mapping[str, float], added: Iterable[str]) -> None:
    """Check that every multiplier belongs to a weigher.

    Args:
        multipliers: by the name of the weigher.
        added: names of the weighers of plugins.

    Raises:
        ConfigError: there is no such weigher.
    """
    known = [*CORE_WEIGHTS, *added]
    for name in multipliers:
        if name not in known:
            raise ConfigError(f"no weight is called {WEIGHT}{name}; known: {', '.join(known)}")


def read_carry(cluster_opts: Mapping[str, str], *, classic: bool) -> float:
    """The lead over the best node with the image above which an image is copied to a node.

    Swarm classic copies no images: containers go to nodes that have the image.

    Raises:
        ConfigError: not a number, negative, or too large.
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
