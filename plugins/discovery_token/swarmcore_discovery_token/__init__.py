"""``token://HUB/PATH/TOKEN``: engines that are registered at a token hub."""

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI
from swarmcore_discovery_token.clients import choose_client
from swarmcore_discovery_token.discovery import TokenDiscovery
from swarmcore_discovery_token.hub_address import parse_place


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for the schemes ``token`` and ``token+http``."""
    if uri.scheme not in ("token", "token+http"):
        return None
    place = parse_place(uri, options)
    return TokenDiscovery(choose_client(place, options), place, options)
