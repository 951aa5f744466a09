"""The TLS contexts of a manager, which are made again together when their files have changed."""

import ssl
from collections.abc import Sequence
from functools import partial
from weakref import WeakSet

from swarmcore.errors import ConfigError
from swarmcore.http.tls import RenewableContext, client_context, server_context
from swarmcore.model import TLSFiles
from swarmcore.threads import in_thread


class TLSContexts:
    """All TLS contexts of one manager, as long as something uses them."""

    def __init__(self) -> None:
        self._used: WeakSet[RenewableContext] = WeakSet()

    def server(self, files: TLSFiles) -> RenewableContext:
        """A context for clients; see ``server_context``."""
        return self._add(RenewableContext(partial(server_context, files)))

    def client(self, files: TLSFiles) -> RenewableContext:
        """A context for engines; see ``client_context``."""
        return self._add(RenewableContext(partial(client_context, files)))

    def _add(self, context: RenewableContext) -> RenewableContext:
        self._used.add(context)
        return context

    async def renew(self) -> None:
        """Read all files again; new connections use them.

        Raises:
            ConfigError: files cannot be read or used; nothing has changed.
        """
        used = list(self._used)
        for context, made in zip(used, await in_thread(_make, used), strict=True):
            context.current = made


def _make(contexts: Sequence[RenewableContext]) -> list[ssl.SSLContext]:
    made, errors = [], set()
    for context in contexts:
        try:
            made.append(context.make())
        except ConfigError as error:
            errors.add(str(error))
    if errors:
        raise ConfigError("; ".join(sorted(errors)))
    return made
