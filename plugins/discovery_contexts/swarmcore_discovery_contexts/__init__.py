"""``contexts://[NAME,PATTERN...]``: engines from the contexts of the ``docker`` command."""

import os
from functools import partial
from pathlib import Path

from swarmcore import hookimpl
from swarmcore.errors import ConfigError
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoverySink, DiscoveryURI
from swarmcore.stores import Seen, StoreError, poll
from swarmcore.threads import in_thread
from swarmcore_discovery_contexts.store import read_contexts

_LONGEST_PERIOD_SECONDS = 1.0


@hookimpl
def swarmcore_discovery(uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery | None:
    """Return the discovery; reads the contexts once, so that a wrong folder or name is an error."""
    if uri.scheme != "contexts":
        return None
    patterns = [pattern for part in uri.rest.split(",") if (pattern := part.strip())] or ["*"]
    folder = _folder(options)
    try:
        read_contexts(folder, patterns)
    except OSError as error:
        raise ConfigError(
            f"{uri}: {error.filename or folder}: {error.strerror}; make a context with "
            "'docker context create', or name the folder with --discovery-opt contexts.folder=PATH"
        ) from None
    except LookupError as error:
        raise ConfigError(f"{uri}: {error}; 'docker context ls' lists them") from None
    period_seconds = min(_LONGEST_PERIOD_SECONDS, options.heartbeat_seconds)
    return ContextsDiscovery(folder, patterns, period_seconds, options.hold_seconds)


class ContextsDiscovery:
    """Reports the engines of contexts, now and after each change.

    Args:
        folder: the configuration folder of the ``docker`` command.
        patterns: a context is used if its name matches one; ``*`` and ``?`` are wildcards.
        period_seconds: interval of reading the contexts.
        hold_seconds: how long an engine is kept if its context can suddenly not be read.
    """

    from_operator = True

    def __init__(
        self, folder: Path, patterns: list[str], period_seconds: float, hold_seconds: float = 0.0
    ) -> None:
        self._folder = folder
        self._patterns = patterns
        self._period_seconds = period_seconds
        self._hold_seconds = hold_seconds

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        await poll(
            self._look,
            sink,
            period_seconds=self._period_seconds,
            hold_seconds=self._hold_seconds,
            source=str(self._folder),
        )

    async def _look(self) -> Seen:
        read = partial(read_contexts, self._folder, self._patterns)
        try:
            # Abandoned on cancellation, as a hung file system must not keep the manager running.
            return await in_thread(read, abandon_on_cancel=True)
        except (OSError, LookupError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise StoreError(f"{self._folder}: {reason}") from None


def _folder(options: DiscoveryOptions) -> Path:
    given = options.options.get("contexts.folder") or os.environ.get("DOCKER_CONFIG")
    return Path(given) if given else Path.home() / ".docker"
