"""``consul://HOST/PREFIX``: engines that are registered in Consul."""

from swarmcore import hookimpl
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI, Election
from swarmcore.stores import ElectionWithSettings, KeyElection, Location, parse_location
from swarmcore_discovery_consul.client import Agent
from swarmcore_discovery_consul.discovery import ConsulDiscovery
from swarmcore_discovery_consul.election import ConsulKey
from swarmcore_discovery_consul.settings import ConsulText

_PORT = 8500


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for the scheme ``consul``."""
    if uri.scheme != "consul":
        return None
    location = _location(uri, options)
    return ConsulDiscovery(_agent(location, options), location, options)


@hookimpl
def swarmcore_election(uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
    """Return the election for the scheme ``consul``."""
    if uri.scheme != "consul":
        return None
    location = _location(uri, options)
    agent = _agent(location, options)
    election = KeyElection(ConsulKey(agent, location, options.ttl_seconds))
    return ElectionWithSettings(election, ConsulText(agent, location.settings))


def _location(uri: DiscoveryURI, options: DiscoveryOptions) -> Location:
    location = parse_location(uri, options, _PORT)
    if len(location.servers) > 1:
        # Classic's text.  A cluster of servers has a local agent, or one name for all servers.
        raise ConfigError(f"{uri}: consul does not support multiple endpoints; name one agent")
    return location


def _agent(location: Location, options: DiscoveryOptions) -> Agent:
    return Agent(location, options.options.get("consul.tokenfile", ""))
