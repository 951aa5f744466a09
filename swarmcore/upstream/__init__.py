"""The data path to one engine: kept connections, one request and its answer."""

from swarmcore.upstream.upstream import (
    Upstream,
)

__all__ = [
    "Upstream",
]
