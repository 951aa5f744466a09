"""``etcd://HOST,.../PREFIX``: engines that are registered in etcd."""

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI, Election
from swarmcore.stores import ElectionWithSettings, KeyElection, parse_location
from swarmcore_discovery_etcd.client import Gateway
from swarmcore_discovery_etcd.discovery import EtcdDiscovery
from swarmcore_discovery_etcd.election import EtcdKey
from swarmcore_discovery_etcd.login import read_login
from swarmcore_discovery_etcd.settings import EtcdText

_PORT = 2379


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for the scheme ``etcd``."""
    if uri.scheme != "etcd":
        return None
    location = parse_location(uri, options, _PORT)
    return EtcdDiscovery(Gateway(location, read_login(options)), location, options)


@hookimpl
def swarmcore_election(uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
    """Return the election for the scheme ``etcd``."""
    if uri.scheme != "etcd":
        return None
    location = parse_location(uri, options, _PORT)
    gateway = Gateway(location, read_login(options))
    election = KeyElection(EtcdKey(gateway, location.leader, options.ttl_seconds))
    return ElectionWithSettings(election, EtcdText(gateway, location.settings))
