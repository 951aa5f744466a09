"""``--cluster-opt swarm.compat=classic``: what changed since Swarm classic, turned back at once.

Plugins read the same key from the options that they are given.
"""

from collections.abc import Mapping

from swarmcore.errors import ConfigError

#: The key, of ``--cluster-opt`` and of the options that every plugin is given.
COMPAT = "swarm.compat"
CLASSIC = "classic"


def is_classic(options: Mapping[str, str]) -> bool:
    """Whether the operator wants classic's ways.

    Args:
        options: the values of ``--cluster-opt``, or what a plugin was given.

    Raises:
        ConfigError: the option has another value.
    """
    value = options.get(COMPAT, "")
    if value not in ("", CLASSIC):
        raise ConfigError(f"--cluster-opt {COMPAT}={value}: use {CLASSIC}, or leave it out")
    return value == CLASSIC
