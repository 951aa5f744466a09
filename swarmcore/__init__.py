"""One Docker API endpoint in front of a whole fleet of Docker Engines."""

import pluggy

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"

#: Marks a function of a plugin module as the implementation of the hook of the same name.
hookimpl = pluggy.HookimplMarker("swarmcore")
