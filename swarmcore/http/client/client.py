"""An HTTP/1.1 client of one server: complete answers, lines, streams, uploads and upgrades.

All of them share one pool of kept connections, with one request at a time on each connection,
except in ``pipelined``.  The retry rule is in ``call``; ``dial`` opens connections.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import h11
import trio

from swarmcore.errors import BadRequest, EngineError, EngineUnreachable
from swarmcore.http.client.call import Call
from swarmcore.http.client.calls_in_flight import CallsUnderWay
from swarmcore.http.client.connection import Connection
from swarmcore.http.client.dial import Dialer
from swarmcore.http.client.outgoing import Outgoing, write_request
from swarmcore.http.client.pipelined import exchange_several
from swarmcore.http.client.probe import Probe, can_probe, close_now
from swarmcore.http.messages import Answer, Headers

#: Maximum number of idle connections.  The number in use has no limit: each `docker stats` or
#: `docker logs -f` needs one.
_IDLE_CONNECTIONS = 32
#: Idle connections that were not used for this time are closed after a later request, all but one.
_IDLE_SECONDS = 20.0
#: Maximum number of concurrent requests for complete answers, such as inspections.
_CALLS = 32
#: Maximum size of a complete answer; a list of ten thousand containers is some 30 MB.
_BODY_LIMIT = 64 * 1024 * 1024
_LINE_LIMIT = 1024 * 1024
_CLEANUP_SECONDS = 2.0
#: See ``HTTPClient.converse``.
_SOON_SECONDS = 0.05
#: Methods without a body; engines expect a ``Content-Length`` with all others, even if it is 0.
_BODILESS = frozenset({"GET", "HEAD"})
_TARGET = re.compile(r"/[\x21-\x7e]*")
#: Headers of the manager's own requests.
_OURS: Headers = ((b"Host", b"docker"), (b"User-Agent", b"swarmcore"))


class HTTPClient:
    """A client of one server, with its pool of connections.

    Callers set time limits, by a cancel scope around the call.

    Args:
        dialer: opens connections.
        name: the server's name in errors, its address by default; may be changed.
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
        """Send a request and read the complete answer.

        Args:
            method: upper case.
            target: path and query, percent-encoded, with version prefix.
            body: sent with ``Content-Length``; ``None`` sends no body.
            headers: added to the request.
            permit: see ``call``.

        Returns:
            The answer, whatever its status.

        Raises:
            BadRequest: the target or a header cannot be sent.
            EngineError: the answer is larger than 64 MiB.
            EngineUnreachable: no answer; ``sent`` tells whether the request may have arrived.
        """
        self._check(target)
        sent = [*_OURS, *headers]
        if body is not None or method not in _BODILESS:
            sent.append((b"Content-Length", b"%d" % len(body or b"")))
        request = self._request(method, target, tuple(sent))
        with self._under_way.until_ended(self._abandoned):
            async with self._turns:
                call = Call(self, await self._take(), request, body or b"", permit)
                try:
                    await call.begin()
                    head = await call.read_head()
                    answer = Answer(head.status, head.headers, await call.read_all(_BODY_LIMIT))
                finally:
                    await self._end(call)
        return answer

    async def request_several(
        self, targets: Sequence[str], answered: Callable[[Answer], None]
    ) -> None:
        """Send ``GET`` requests at once on one connection, and read their answers.

        Args:
            targets: path and query of each, percent-encoded, with version prefix.
            answered: called with each answer, whatever its status, in the order of *targets*; not
                for those that ``request`` must ask, because the connection broke or an answer is
                unusual.

        Raises:
            BadRequest: a target cannot be sent.
            EngineUnreachable: there is no connection, or ``abandon`` was called meanwhile.
        """
        for target in targets:
            self._check(target)
        requests = [self._request("GET", target, _OURS) for target in targets]
        with self._under_way.until_ended(self._abandoned):
            async with self._turns:
                connection = await self._take()
                try:
                    await exchange_several(connection, requests, _BODY_LIMIT, answered)
                finally:
                    await self._keep_or_close(connection)

    async def _keep_or_close(self, connection: Connection) -> None:
        if connection.is_reusable:
            connection.next_cycle()
            await self._keep(connection)
        else:
            await trio.aclose_forcefully(connection.stream)

    def probe(self, target: str) -> Probe | None:
        """Send a ``GET`` without waiting for the answer.

        Args:
            target: path and query, percent-encoded, with version prefix.

        Returns:
            ``None`` if no connection is kept, or none on which that is possible.
        """
        if not (self._idle and can_probe(self._idle[-1])):
            return None
        request = self._request("GET", target, _OURS)
        return Probe.send(request.head, self._idle.pop(), self._keep_probed)

    def _keep_probed(self, connection: Connection) -> None:
        if (surplus := self._add_idle(connection)) is not None:
            close_now(surplus)

    @asynccontextmanager
    async def lines(self, target: str) -> AsyncIterator["Lines"]:
        """Follow an endless answer line by line.

        Args:
            target: path and query, percent-encoded, with version prefix.

        Raises:
            BadRequest: the target cannot be sent.
            EngineError: the status is not 200.
            EngineUnreachable: there is no answer.
        """
        self._check(target)
        async with self.call("GET", target, _OURS) as call:
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
        """Send a request; leaving the block before the end of the answer closes the connection.

        Args:
            method: upper case.
            target: path and query, with version prefix.
            headers: all headers in order: ``Host``, and ``Content-Length`` or
                ``Transfer-Encoding`` if there is a body.
            body: the complete body; if it is empty and *headers* announce a body, the body is
                streamed by ``Call.send`` and ``Call.finish``.
            permit: called with an open connection just before the head is sent; if it raises an
                exception, nothing is sent.

        Raises:
            BadRequest: the target or a header cannot be sent.
            EngineUnreachable: there is no connection, or ``abandon`` was called meanwhile.
        """
        request = self._request(method, target, headers)
        with self._under_way.until_ended(self._abandoned):
            call = Call(self, await self._take(), request, body, permit)
            try:
                await call.begin()
                yield call
            finally:
                await self._end(call)

    async def converse(
        self,
        quick: Callable[[Call], Awaitable[bool]],
        full: Callable[[Call], Awaitable[None]],
        method: str,
        target: str,
        headers: Headers,
        body: bytes = b"",
    ) -> bool:
        """Send a request and let functions read the answer; costs less than the block of ``call``.

        Args:
            quick: returns whether it has read the answer to its end; cancelled after 50 ms.
            full: called if *quick* did not return true.
            method, target, headers, body: as for ``call``.

        Returns:
            Whether *quick* has read the answer.

        Raises:
            BadRequest: the target or a header cannot be sent.
            EngineUnreachable: there is no connection, or ``abandon`` was called meanwhile.
        """
        request = self._request(method, target, headers)
        call: Call | None = None
        try:
            with self._under_way.until_ended(self._abandoned) as block:
                call = Call(self, await self._take(), request, body)
                await call.begin()
                block.limit(_SOON_SECONDS)
                if await quick(call):
                    return True
            if call is not None:
                with self._under_way.until_ended(self._abandoned):
                    await full(call)
            return False
        finally:
            if call is not None:
                await self._end(call)

    def _check(self, target: str) -> None:
        if not _TARGET.fullmatch(target):
            raise BadRequest(f"{target!r} is not a percent-encoded path")
        if self._closed:
            raise self.unreachable(" has left the cluster", sent=False)

    def _request(self, method: str, target: str, headers: Headers) -> Outgoing:
        try:
            return write_request(method, target, headers)
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise BadRequest(f"cannot ask {self._kind} {self.name}: {error}") from error

    async def _end(self, call: Call) -> None:
        if call.is_complete:
            await self._keep(call.release())
            return
        with trio.move_on_after(_CLEANUP_SECONDS, shield=True):
            await call.close()

    def abandon(self) -> None:
        """End all calls under way, including upgraded connections: the server does not answer."""
        self._under_way.end()

    def _abandoned(self) -> EngineUnreachable:
        return self.unreachable(" does not answer any more", sent=True)

    # ---- connections

    async def prepare(self) -> None:
        """Open a connection for the next call, if none is kept.

        Raises:
            EngineUnreachable: no connection can be opened; nothing was sent.
        """
        await self._keep(await self._take())

    async def knock(self) -> None:
        """Open a new connection and keep it.

        Raises:
            EngineUnreachable: no connection can be opened.
        """
        await self._keep(await self.connect())

    async def close_stale(self) -> None:
        """Close idle connections that the server has closed, and reap processes of ssh."""
        while stale := next((each for each in self._idle if each.is_stale), None):
            self._idle.remove(stale)
            await trio.aclose_forcefully(stale.stream)

    async def aclose(self) -> None:
        """Close the idle connections; connections are no longer kept."""
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
        """Keep a connection for a later call, and close one that was kept for long."""
        if (surplus := self._add_idle(connection)) is not None:
            await trio.aclose_forcefully(surplus.stream)

    def _add_idle(self, connection: Connection) -> Connection | None:
        """Add an idle connection; return one that is to be closed."""
        now = connection.kept_since = trio.current_time()
        self._idle.append(connection)
        oldest = self._idle[0]  # the last one is used first, so the first one has waited longest
        is_old = oldest is not connection and now - oldest.kept_since > _IDLE_SECONDS
        is_surplus = is_old or self._closed or len(self._idle) > _IDLE_CONNECTIONS
        return self._idle.pop(0) if is_surplus else None

    # ---- called by calls

    async def connect(self) -> Connection:
        """Open a new connection."""
        try:
            return Connection(await self._dialer.dial())
        except EngineUnreachable as error:
            if self.name == str(self._dialer.address):
                raise
            raise self.unreachable(f": {error}", sent=error.sent, silent=error.silent) from error

    async def replace(self, dead: Connection) -> Connection:
        """Return a new connection, and close all kept ones, which may be dead as well."""
        await trio.aclose_forcefully(dead.stream)
        await self._close_idle()
        return await self.connect()

    async def give_back(self, connection: Connection) -> None:
        """Keep a connection that is ready for a request."""
        await self._keep(connection)

    def unreachable(self, what: str, *, sent: bool, silent: bool = False) -> EngineUnreachable:
        """Make an error whose text is the server's kind and name followed by *what*."""
        text = f"{self._kind} {self.name}{what}"
        return EngineUnreachable(self.name, text, sent=sent, silent=silent)

    def failure(self, what: str) -> EngineError:
        """Make an error for an answer that cannot be used; the text is as for ``unreachable``."""
        return EngineError(self.name, f"{self._kind} {self.name}{what}")


class Lines:
    """The lines of a body; blank lines are skipped.

    Args:
        call: the call of the answer.
        client: provides the server's name for errors.
    """

    def __init__(self, call: Call, client: HTTPClient) -> None:
        self._call = call
        self._client = client
        self._rest = b""
        self._lines: list[bytes] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next line without its newline.

        Raises:
            EngineError: a line is longer than 1 MiB.
            EngineUnreachable: the connection broke; if the server ended the stream, the iteration
                ends instead.
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
