"""``consul://HOST/PREFIX``: engines that announce themselves in Consul."""

from swarmcore import hookimpl
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI
from swarmcore.stores import parse_location, store_context
from swarmcore_discovery_consul.agent import Agent
from swarmcore_discovery_consul.discovery import ConsulDiscovery

_PORT = 8500


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Answer to ``consul``."""
    if uri.scheme != "consul":
        return None
    location = parse_location(uri, options, _PORT)
    if len(location.servers) > 1:
        # Classic's words; a fleet of servers has an agent on each machine, or one name for all.
        raise ConfigError(f"{uri}: consul does not support multiple endpoints; name one agent")
    scheme = "https" if location.tls else "http"
    agent = Agent(
        f"{scheme}://{location.servers[0].hostport}",
        store_context(location.tls),
        options.options.get("consul.tokenfile", ""),
    )
    return ConsulDiscovery(agent, location, options)
