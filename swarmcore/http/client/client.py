"""An HTTP/1.1 client of one server: whole answers, lines, streams, uploads and upgrades.

One pool of kept connections serves all of them, one request at a time on each connection.  The
retry rule is in ``call``; how a connection is made is in ``dial``.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import h11
import trio

from swarmcore.errors import BadRequest, EngineError, EngineUnreachable
from swarmcore.http.client.call import Call, Connection
from swarmcore.http.client.dial import Dialer
from swarmcore.http.client.under_way import CallsUnderWay
from swarmcore.http.messages import Answer, Headers

#: Connections kept for the next request.  The number in use has no limit: each `docker stats` or
#: `docker logs -f` holds one.
_IDLE_CONNECTIONS = 8
#: Whole answers asked for at a time; a thousand inspects share these.
_CALLS = 32
#: A list of ten thousand containers is some 30 MB.
_BODY_LIMIT = 64 * 1024 * 1024
_LINE_LIMIT = 1024 * 1024
_CLEANUP_SECONDS = 2.0
#: Engines expect a length with every method but these, be it 0.
_BODILESS = frozenset({"GET", "HEAD"})
_TARGET = re.compile(r"/[\x21-\x7e]*")


class HTTPClient:
    """A client of one server, with its pool of connections.

    Deadlines are the caller's, by a cancel scope around the call.

    Args:
        dialer: opens connections.
        name: what errors call the server; its address by default.  May change.
        kind: the word before the name in errors.
    """

    def __init__(self, dialer: Dialer, name: str = "", kind: str = "engine") -> None:
        self.name = name or str(dialer.address)
        self._kind = kind
        self._dialer = dialer
        self._idle: list[Connection] = []
        self._closed = False
        self._under_way = CallsUnderWay()
        self._turns = trio.Semaphore(_CALLS)

    def __repr__(self) -> str:
        return f"<HTTPClient {self.name} {len(self._idle)} idle>"

    # ---- requests

    async def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        permit: Callable[[], None] | None = None,
    ) -> Answer:
        """Ask, and read the whole answer.

        Args:
            method: upper case.
            target: path and query, percent-encoded, version prefix included.
            body: sent with its length; ``None`` sends none.
            headers: added to the request.
            permit: see ``call``.

        Returns:
            The answer, whatever its status.

        Raises:
            BadRequest: the target or a header cannot be sent.
            EngineError: the answer is longer than 64 MiB.
            EngineUnreachable: no answer; ``sent`` tells whether the request may have arrived.
        """
        self._check(target)
        sent = [(b"Host", b"docker"), (b"User-Agent", b"swarmcore"), *headers]
        if body is not None or method not in _BODILESS:
            sent.append((b"Content-Length", b"%d" % len(body or b"")))
        request = self._request(method, target, sent)
        with self._under_way.until_ended(self._abandoned):
            async with self._turns:
                call = Call(self, await self._take(), request, body or b"", permit)
                try:
                    await call.begin()
                    head = await call.read_head()
                    return Answer(head.status, head.headers, await call.read_all(_BODY_LIMIT))
                finally:
                    await self._end(call)

    @asynccontextmanager
    async def lines(self, target: str) -> AsyncIterator["Lines"]:
        """Follow an answer made of lines, without end.

        Args:
            target: path and query, percent-encoded, version prefix included.

        Raises:
            BadRequest: the target cannot be sent.
            EngineError: the status is not 200.
            EngineUnreachable: no answer.
        """
        self._check(target)
        headers = ((b"Host", b"docker"), (b"User-Agent", b"swarmcore"))
        async with self.call("GET", target, headers) as call:
            head = await call.read_head()
            if head.status != 200:
                raise self.failure(f": GET {target}: status {head.status}")
            yield Lines(call, self)

    @asynccontextmanager
    async def call(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: bytes = b"",
        permit: Callable[[], None] | None = None,
    ) -> AsyncIterator[Call]:
        """Send a request; leaving the block before the answer's end closes the connection.

        Args:
            method: upper case.
            target: path and query, version prefix included.
            headers: complete and in order: ``Host``, and one of ``Content-Length`` and
                ``Transfer-Encoding`` where there is a body.
            body: the whole body; where this is empty and *headers* announce a body, ``Call.send``
                and ``Call.finish`` stream it.
            permit: called with a connection at hand, right before the head is sent; what it raises
                is raised, and nothing is sent.

        Raises:
            BadRequest: the target or a header cannot be sent.
            EngineUnreachable: no connection, or ``abandon`` was called meanwhile.
        """
        request = self._request(method, target, list(headers))
        with self._under_way.until_ended(self._abandoned):
            call = Call(self, await self._take(), request, body, permit)
            try:
                await call.begin()
                yield call
            finally:
                await self._end(call)

    def _check(self, target: str) -> None:
        if not _TARGET.fullmatch(target):
            raise BadRequest(f"{target!r} is not a percent-encoded path")
        if self._closed:
            raise self.unreachable(" has left the cluster", sent=False)

    def _request(self, method: str, target: str, headers: list[tuple[bytes, bytes]]) -> h11.Request:
        try:
            return h11.Request(method=method, target=target, headers=headers)
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise BadRequest(f"cannot ask {self._kind} {self.name}: {error}") from error

    async def _end(self, call: Call) -> None:
        with trio.move_on_after(_CLEANUP_SECONDS, shield=True):
            await call.close()

    def abandon(self) -> None:
        """End every call under way, upgraded ones too: the server was found not to answer."""
        self._under_way.end()

    def _abandoned(self) -> EngineUnreachable:
        return self.unreachable(" does not answer any more", sent=True)

    # ---- connections

    async def prepare(self) -> None:
        """Have a connection ready that the next call takes.

        Raises:
            EngineUnreachable: no connection can be made; nothing was sent.
        """
        await self._keep(await self._take())

    async def knock(self) -> None:
        """Make a fresh connection, and keep it.

        Raises:
            EngineUnreachable: no connection can be made.
        """
        await self._keep(await self.connect())

    async def close_stale(self) -> None:
        """Close the idle connections that the server has closed, and reap the processes of ssh."""
        while stale := next((each for each in self._idle if each.is_stale), None):
            self._idle.remove(stale)
            await trio.aclose_forcefully(stale.stream)

    async def aclose(self) -> None:
        """Close the idle connections, and keep none from now on."""
        self._closed = True
        await self._close_idle()

    async def _close_idle(self) -> None:
        while self._idle:
            await trio.aclose_forcefully(self._idle.pop().stream)

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_stale:
                return connection
            await trio.aclose_forcefully(connection.stream)
        return await self.connect()

    async def _keep(self, connection: Connection) -> None:
        self._idle.append(connection)
        if self._closed or len(self._idle) > _IDLE_CONNECTIONS:
            await trio.aclose_forcefully(self._idle.pop(0).stream)

    # ---- for calls

    async def connect(self) -> Connection:
        """A fresh connection."""
        try:
            return Connection(await self._dialer.dial())
        except EngineUnreachable as error:
            if self.name == str(self._dialer.address):
                raise
            raise self.unreachable(f": {error}", sent=error.sent, silent=error.silent) from error

    async def replace(self, dead: Connection) -> Connection:
        """A fresh connection; where one kept connection was dead, no other is trusted."""
        await trio.aclose_forcefully(dead.stream)
        await self._close_idle()
        return await self.connect()

    async def give_back(self, connection: Connection) -> None:
        """Keep a connection whose exchange is complete."""
        connection.next_cycle()
        await self._keep(connection)

    def unreachable(self, what: str, *, sent: bool, silent: bool = False) -> EngineUnreachable:
        """An error whose text is the server's kind and name, and *what*."""
        text = f"{self._kind} {self.name}{what}"
        return EngineUnreachable(self.name, text, sent=sent, silent=silent)

    def failure(self, what: str) -> EngineError:
        """An error for an answer that cannot be used; its text as for ``unreachable``."""
        return EngineError(self.name, f"{self._kind} {self.name}{what}")


class Lines:
    """A body cut at its newlines; blank lines are left out.

    Args:
        call: whose answer it is.
        client: names the server in errors.
    """

    def __init__(self, call: Call, client: HTTPClient) -> None:
        self._call = call
        self._client = client
        self._rest = b""
        self._lines: list[bytes] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next line, without its newline.

        Raises:
            EngineError: a line is longer than 1 MiB.
            EngineUnreachable: the connection broke; a stream that the server ended just ends.
        """
        while not self._lines:
            piece = await self._call.read_data()
            if not piece:
                raise StopAsyncIteration
            *whole, self._rest = (self._rest + piece).split(b"\n")
            self._lines = [line for line in reversed(whole) if line.strip()]
            if max(map(len, [self._rest, *self._lines])) > _LINE_LIMIT:
                raise self._client.failure(" sent a line over 1 MiB")
        return self._lines.pop()
