"""Finding, loading, checking and calling plugins."""

from swarmcore.plugins.plugins import (
    Plugins,
    installed,
)

__all__ = [
    "Plugins",
    "installed",
]
