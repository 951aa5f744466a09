"""``etcd://HOST,.../PREFIX``: engines that announce themselves in etcd."""

from swarmcore import hookimpl
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI, Election
from swarmcore.stores import Location, SeatElection, parse_location, store_context
from swarmcore_discovery_etcd.discovery import EtcdDiscovery
from swarmcore_discovery_etcd.election import EtcdSeat
from swarmcore_discovery_etcd.gateway import Gateway
from swarmcore_discovery_etcd.login import read_login

_PORT = 2379


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Answer to ``etcd``."""
    if uri.scheme != "etcd":
        return None
    location = parse_location(uri, options, _PORT)
    return EtcdDiscovery(_gateway(location, options), location, options)


@hookimpl
def swarmcore_election(uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
    """Answer to ``etcd``."""
    if uri.scheme != "etcd":
        return None
    location = parse_location(uri, options, _PORT)
    gateway = _gateway(location, options)
    return SeatElection(EtcdSeat(gateway, location.leader, options.ttl_seconds))


def _gateway(location: Location, options: DiscoveryOptions) -> Gateway:
    return Gateway(
        location.servers,
        store_context(location.tls),
        secure=bool(location.tls),
        login=read_login(options),
    )
