"""One Docker API endpoint for many Docker Engines."""

from typing import TYPE_CHECKING

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pluggy import HookimplMarker

    #: Marks a function of a plugin as the implementation of the hook of the same name.
    hookimpl: HookimplMarker
else:

    def __getattr__(name: str) -> object:
        # Created on first use, so that `swarmcore --help` need not import pluggy.
        if name != "hookimpl":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pluggy import HookimplMarker

        marker = globals()[name] = HookimplMarker("swarmcore")
        return marker
