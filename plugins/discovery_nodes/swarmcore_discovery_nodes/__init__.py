"""``nodes://HOST:PORT,...``, or no scheme: engines from a list that never changes."""

from collections.abc import Sequence

from swarmcore import hookimpl
from swarmcore.addresses import Address, expand, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoverySink, DiscoveryURI, Entry


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI) -> Discovery | None:
    """Answer to ``nodes``."""
    return NodesDiscovery(parse_nodes(uri.rest)) if uri.scheme == "nodes" else None


class NodesDiscovery:
    """Reports its entries once."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    async def watch(self, sink: DiscoverySink) -> None:
        """Report the list; there is nothing to wait for."""
        sink.entries(self._entries)


def parse_nodes(text: str) -> list[Entry]:
    """Read a comma-separated list of engine addresses with ranges.

    Args:
        text: what follows ``nodes://``; blank elements are skipped, duplicates are dropped.

    Raises:
        ConfigError: an address is malformed, or there is none at all.
    """
    elements = [element.strip() for element in text.split(",") if element.strip()]
    try:
        found = [parse_address(each) for element in elements for each in expand(element)]
    except ConfigError as error:
        raise ConfigError(
            f"{error}, please check you are using the correct discovery (missing token:// ?)"
        ) from None
    if not found:
        raise ConfigError(f"nodes://{text} names no engine; write HOST:PORT, separated by commas")
    distinct: dict[Address, None] = dict.fromkeys(found)
    return [Entry(address) for address in distinct]
