"""``dns+srv://NAME`` and ``dns://NAME:PORT``: engines from DNS, queried again on expiry."""

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
import trio

from swarmcore import hookimpl
from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoverySink, DiscoveryURI
from swarmcore.stores import Patience, still_in_force
from swarmcore_discovery_dns.lookups import AddressLookup, Lookup, ServiceLookup

#: Limits of the interval of queries, whatever the time to live of answers is (Consul's is 0).
_SHORTEST_SECONDS = 5.0
_LONGEST_SECONDS = 30.0

#: After this many negative answers in a row, a name has no engines; one may be a server's mistake.
_NEVER_SEEN = 3


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for the schemes ``dns`` and ``dns+srv``."""
    if uri.scheme not in ("dns", "dns+srv"):
        return None
    resolver = _resolver(options.options.get("dns.server", ""))
    lookup: Lookup
    if uri.scheme == "dns":
        address = parse_address(uri.rest)
        lookup = AddressLookup(resolver, _name(uri, address.host), address.port)
    else:
        lookup = ServiceLookup(resolver, _name(uri, uri.rest))
    return DnsDiscovery(lookup, options.heartbeat_seconds, options.hold_seconds)


class DnsDiscovery:
    """Reports the engines found by a lookup.

    Args:
        lookup: performs one query.
        heartbeat_seconds: longest interval of queries.
        hold_seconds: delay before a name that suddenly has no engines is believed.
    """

    def __init__(self, lookup: Lookup, heartbeat_seconds: float, hold_seconds: float = 0.0) -> None:
        self._lookup = lookup
        self._hold_seconds = hold_seconds
        self._heartbeat_seconds = heartbeat_seconds

    async def watch(self, sink: DiscoverySink) -> None:
        """Report until cancelled; a lasting error is reported once."""
        async with trio.open_nursery() as nursery:
            patience = Patience(sink, nursery, self._hold_seconds, source="DNS")
            await self._follow(sink, patience)

    async def _follow(self, sink: DiscoverySink, patience: Patience) -> None:
        missed, failure = 0, ""
        while True:
            seconds = _SHORTEST_SECONDS
            try:
                entries, ttl_seconds = await self._lookup()
            except (dns.exception.DNSException, OSError) as error:
                if isinstance(error, dns.resolver.NXDOMAIN):
                    missed += 1
                else:
                    missed = 0
                    patience.stop_doubting()  # the server's failure says nothing about the list
                if missed == _NEVER_SEEN:
                    patience.report([], [])
                elif failure != str(error):
                    failure = str(error)
                    sink.failed(still_in_force(failure, listed=patience.is_listed))
            else:
                missed, failure = 0, ""
                patience.report(entries, [])
                seconds = min(max(ttl_seconds, _SHORTEST_SECONDS), _LONGEST_SECONDS)
            await trio.sleep(min(seconds, self._heartbeat_seconds))


def _resolver(server: str) -> dns.asyncresolver.Resolver:
    """The system's resolver, or one that asks *server*."""
    try:
        if not server:
            return dns.asyncresolver.Resolver()
        resolver = dns.asyncresolver.Resolver(configure=False)
        address = parse_address(server if _has_port(server) else f"{server}:53")
        resolver.nameservers = [address.host]
        resolver.port = address.port
    except (dns.exception.DNSException, ValueError, ConfigError) as error:
        raise ConfigError(f"--discovery-opt dns.server={server}: {error}") from None
    return resolver


def _has_port(server: str) -> bool:
    return "]:" in server if server.startswith("[") else ":" in server


def _name(uri: DiscoveryURI, text: str) -> dns.name.Name:
    try:
        if text:
            return dns.name.from_text(text)
    except dns.exception.DNSException as error:
        raise ConfigError(f"{uri}: not a DNS name: {error}") from None
    raise ConfigError(f"{uri} names nothing; write dns+srv://NAME or dns://NAME:PORT")
