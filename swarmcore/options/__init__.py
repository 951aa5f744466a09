"""The options of ``manage``: from flags, environment, file and defaults."""

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
