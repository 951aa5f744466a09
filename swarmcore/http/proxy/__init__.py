"""The proxy: requests of clients forwarded to engines, and to the primary manager."""

from swarmcore.http.proxy.proxy import Relayable, forward, relay

__all__ = ["Relayable", "forward", "relay"]
