"""A token hub of one's own: clusters' lists of engines, kept for those who know the token."""

from swarmcore.hub.create import create_cluster
from swarmcore.hub.hub import Hub
from swarmcore.hub.serving import serve_hub

__all__ = ["Hub", "create_cluster", "serve_hub"]
