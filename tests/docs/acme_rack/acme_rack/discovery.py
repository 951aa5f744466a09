"""``rack://a=10.0.0.1:2375,b=10.0.0.2:2375``: engines with the rack they stand in."""

from swarmcore import hookimpl
from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoverySink, DiscoveryURI, Entry


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI) -> "RackDiscovery | None":
    return RackDiscovery(uri.rest) if uri.scheme == "rack" else None


class RackDiscovery:
    def __init__(self, text: str) -> None:
        try:
            pairs = [item.split("=", 1) for item in text.split(",")]
            self._entries = [Entry(parse_address(where), {"rack": rack}) for rack, where in pairs]
        except ValueError:
            raise ConfigError(f"rack://{text}: write RACK=HOST:PORT, separated by commas") from None

    async def watch(self, sink: DiscoverySink) -> None:
        sink.entries(self._entries)
