"""``--cluster-opt swarm.compat=classic``: the behaviour of Swarm classic where ours differs.

Plugins read the same key from their options.
"""

from collections.abc import Mapping

from swarmcore.errors import ConfigError

#: The key in ``--cluster-opt`` and in the options of plugins.
COMPAT = "swarm.compat"
CLASSIC = "classic"


def is_classic(options: Mapping[str, str]) -> bool:
    """Whether the operator asks for the behaviour of Swarm classic.

    Args:
        options: the values of ``--cluster-opt``, or a plugin's options.

    Raises:
        ConfigError: the option has an unknown value.
    """
    value = options.get(COMPAT, "")
    if value not in ("", CLASSIC):
        raise ConfigError(f"--cluster-opt {COMPAT}={value}: use {CLASSIC}, or leave it out")
    return value == CLASSIC
