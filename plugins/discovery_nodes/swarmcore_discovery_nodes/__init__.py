"""``nodes://HOST:PORT,...``, or no scheme: engines from a fixed list."""

from collections.abc import Sequence

from swarmcore import hookimpl
from swarmcore.addresses import Address, expand, parse_address
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoverySink, DiscoveryURI, Entry


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI) -> Discovery | None:
    """Return the discovery for the scheme ``nodes``."""
    return NodesDiscovery(parse_nodes(uri.rest)) if uri.scheme == "nodes" else None


class NodesDiscovery:
    """Reports its entries once."""

    from_operator = True

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    async def watch(self, sink: DiscoverySink) -> None:
        """Report the list once; it never changes."""
        sink.entries(self._entries)


def parse_nodes(text: str) -> list[Entry]:
    """Parse a comma-separated list of engine addresses and ranges.

    Args:
        text: the text after ``nodes://``; blank elements and duplicates are dropped.

    Raises:
        ConfigError: an address is malformed, or the list is empty.
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
