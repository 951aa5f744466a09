"""What a command was told: flags, environment, file, defaults."""

from swarmcore.options.options import (
    Options,
    build_options,
    parse_discovery,
)

__all__ = [
    "Options",
    "build_options",
    "parse_discovery",
]
