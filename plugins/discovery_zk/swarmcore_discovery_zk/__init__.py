"""``zk://HOST,.../PREFIX``: engines that announce themselves in ZooKeeper."""

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI
from swarmcore.stores import parse_location
from swarmcore_discovery_zk.discovery import ZooKeeperDiscovery

_PORT = 2181


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Answer to ``zk``."""
    if uri.scheme != "zk":
        return None
    return ZooKeeperDiscovery(parse_location(uri, options, _PORT), options)
