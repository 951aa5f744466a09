"""``prometheus+http://``, ``prometheus+https://``, ``prometheus+file://``: Prometheus's lists.

The list is read at every heartbeat, as Prometheus does, because changes are not announced.
"""

from swarmcore import hookimpl
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoverySink, DiscoveryURI
from swarmcore.stores import Seen, StoreError, poll
from swarmcore_discovery_prometheus.groups import parse_groups
from swarmcore_discovery_prometheus.sources import FileSource, HTTPSource, Source


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery for ``prometheus+http``, ``prometheus+https``, ``prometheus+file``."""
    name, _, kind = uri.scheme.partition("+")
    if name != "prometheus":
        return None
    match kind:
        case "http" | "https":
            source: Source = HTTPSource(f"{kind}://{uri.rest}", options)
        case "file":
            source = FileSource(uri.rest)
        case _:
            raise ConfigError(
                f"{uri}: write prometheus+http://, prometheus+https:// or prometheus+file://"
            )
    return PrometheusDiscovery(
        source,
        options.heartbeat_seconds,
        _port(options),
        hold_seconds=options.hold_seconds,
        whole=kind != "file",
    )


class PrometheusDiscovery:
    """Reports the targets of a list, now and after each change.

    Args:
        source: reads the list.
        period_seconds: interval of reading the list.
        port: port of all engines; 0: the ports of the targets.
        hold_seconds: delay of a list that became empty.
        whole: whether one read returns the complete list; several files are written one after the
            other.
    """

    def __init__(
        self,
        source: Source,
        period_seconds: float,
        port: int,
        *,
        hold_seconds: float = 0.0,
        whole: bool = True,
    ) -> None:
        self._source = source
        self._hold_seconds = hold_seconds
        self._whole = whole
        self._period_seconds = period_seconds
        self._port = port
        #: Files are the operator's.
        self.from_operator = isinstance(source, FileSource)

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        async with self._source.connected():
            await poll(
                self._look,
                sink,
                period_seconds=self._period_seconds,
                hold_seconds=self._hold_seconds,
                source="the list of targets",
                whole=self._whole,
            )

    async def _look(self) -> Seen:
        documents = await self._source.read()
        try:
            return parse_groups(documents, self._port)
        except ValueError as error:
            raise StoreError(str(error)) from None


def _port(options: DiscoveryOptions) -> int:
    text = options.options.get("prometheus.port", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ConfigError(f"--discovery-opt prometheus.port={text}: not a port from 1 to 65535")
    return int(text)
