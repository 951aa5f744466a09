"""``zk://HOST,.../PREFIX``: engines that are registered in ZooKeeper."""

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI, Election
from swarmcore.stores import ElectionWithSettings, SeatElection, parse_location
from swarmcore_discovery_zk.discovery import ZooKeeperDiscovery
from swarmcore_discovery_zk.election import ZooKeeperSeat
from swarmcore_discovery_zk.settings import ZooKeeperText

_PORT = 2181


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for the scheme ``zk``."""
    if uri.scheme != "zk":
        return None
    return ZooKeeperDiscovery(parse_location(uri, options, _PORT), options)


@hookimpl
def swarmcore_election(uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
    """Return the election for the scheme ``zk``."""
    if uri.scheme != "zk":
        return None
    location = parse_location(uri, options, _PORT)
    election = SeatElection(ZooKeeperSeat(location, options.ttl_seconds))
    return ElectionWithSettings(election, ZooKeeperText(location))
