"""The pool of connections as a call uses it."""

from typing import Protocol

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client.connection import Connection


class Pool(Protocol):
    """The pool of connections as a call uses it."""

    async def replace(self, dead: Connection) -> Connection:
        """Close a dead connection and return a new one."""
        ...

    async def give_back(self, connection: Connection) -> None:
        """Keep a connection that is ready for a request."""
        ...

    def unreachable(self, what: str, *, sent: bool) -> EngineUnreachable:
        """Make an error whose text is the server's name followed by *what*."""
        ...

    def failure(self, what: str) -> EngineError:
        """Make an error for an answer that cannot be used; the text is as for ``unreachable``."""
        ...
