"""``etcd://HOST,.../PREFIX``: engines that announce themselves in etcd."""

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI
from swarmcore.stores import parse_location, store_context
from swarmcore_discovery_etcd.discovery import EtcdDiscovery
from swarmcore_discovery_etcd.gateway import Gateway

_PORT = 2379


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Answer to ``etcd``."""
    if uri.scheme != "etcd":
        return None
    location = parse_location(uri, options, _PORT)
    gateway = Gateway(location.servers, store_context(location.tls), secure=bool(location.tls))
    return EtcdDiscovery(gateway, location, options)
