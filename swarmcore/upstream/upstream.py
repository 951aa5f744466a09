"""The data path to one engine: connections that are kept, one request at a time on each.

Decides nothing about what is asked.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import h11
import trio

from swarmcore.addresses import Address
from swarmcore.errors import EngineUnreachable
from swarmcore.messages import Headers
from swarmcore.upstream.call import Call, Connection

#: Kept for the next request.  How many are in use at once has no limit: each `docker stats` or
#: `logs -f` holds one.
_IDLE_CONNECTIONS = 8


class Dialer(Protocol):
    """Knows the way to one engine."""

    @property
    def address(self) -> Address:
        """Where the engine listens."""
        ...

    async def dial(self) -> trio.abc.HalfCloseableStream:
        """Open a connection, within a deadline of its own.

        Raises:
            EngineUnreachable: it cannot be opened, and why.
        """
        ...


class Upstream:
    """The data path to one engine.

    Args:
        dialer: opens connections.
        name: what errors call the engine; its address by default.  May change.
        kind: what it is, where it is no engine.
    """

    def __init__(self, dialer: Dialer, name: str = "", kind: str = "engine") -> None:
        self.name = name or str(dialer.address)
        self._kind = kind
        self._dialer = dialer
        self._idle: list[Connection] = []
        self._closed = False
        self._under_way: set[trio.CancelScope] = set()

    def __repr__(self) -> str:
        return f"<Upstream {self.name} {len(self._idle)} idle>"

    @asynccontextmanager
    async def call(
        self, method: str, target: str, headers: Headers, body: bytes = b""
    ) -> AsyncIterator[Call]:
        """Send a request; leaving the block before the answer's end closes the connection.

        Args:
            method: upper case.
            target: path and query, version prefix included.
            headers: complete and in order: ``Host``, and one of ``Content-Length`` and
                ``Transfer-Encoding`` where there is a body.
            body: the whole body; where it is empty and *headers* announce one, ``Call.send`` and
                ``Call.finish`` stream it.

        Raises:
            EngineUnreachable: no connection, or the engine was abandoned meanwhile.
        """
        request = h11.Request(method=method, target=target, headers=list(headers))
        with self._until_abandoned():
            connection = await self._take()
            call = Call(self, connection, request, body)
            try:
                await call.begin()
                yield call
            finally:
                with trio.move_on_after(2, shield=True):
                    await call.close()

    def abandon(self) -> None:
        """End every call under way, hijacked ones too: the engine was found not to answer."""
        for scope in self._under_way:
            scope.cancel()

    @contextmanager
    def _until_abandoned(self) -> Iterator[None]:
        with trio.CancelScope() as scope:
            self._under_way.add(scope)
            try:
                yield
            finally:
                self._under_way.discard(scope)
        if scope.cancelled_caught:
            raise self.unreachable("does not answer any more", sent=True)

    async def prepare(self) -> None:
        """Have a connection ready that the next call takes.

        Raises:
            EngineUnreachable: there is none to be had; nothing was sent.
        """
        await self._keep(await self._take())

    async def knock(self) -> None:
        """Make a fresh connection, and keep it.

        Raises:
            EngineUnreachable: there is none to be had.
        """
        await self._keep(await self.connect())

    async def close_stale(self) -> None:
        """Close the idle connections that the engine has closed; of ssh, processes are left."""
        while stale := next((each for each in self._idle if each.is_stale), None):
            self._idle.remove(stale)
            await trio.aclose_forcefully(stale.stream)

    async def aclose(self) -> None:
        """Close the idle connections, and keep none from now on."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            await trio.aclose_forcefully(connection.stream)

    # ---- for calls

    def unreachable(self, message: str, *, sent: bool, silent: bool = False) -> EngineUnreachable:
        """An error that names the engine."""
        text = f"{self._kind} {self.name}: {message}"
        return EngineUnreachable(self.name, text, sent=sent, silent=silent)

    async def connect(self) -> Connection:
        """A fresh connection."""
        try:
            return Connection(await self._dialer.dial())
        except EngineUnreachable as error:
            if self.name == str(self._dialer.address):
                raise
            raise self.unreachable(str(error), sent=error.sent, silent=error.silent) from error

    async def give_back(self, connection: Connection) -> None:
        """Keep a connection whose exchange is complete."""
        connection.next_cycle()
        await self._keep(connection)

    async def _keep(self, connection: Connection) -> None:
        self._idle.append(connection)
        if self._closed or len(self._idle) > _IDLE_CONNECTIONS:
            await trio.aclose_forcefully(self._idle.pop(0).stream)

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_stale:
                return connection
            await trio.aclose_forcefully(connection.stream)
        return await self.connect()
