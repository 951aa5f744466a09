"""Serves HTTP/1.1 connections: passes one exchange after the other to a handler.

Owns the connections, their limits and their end.
"""

import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import trio

from swarmcore.errors import EngineRefused, NotPrimary, SwarmError
from swarmcore.http.framing import answer_head
from swarmcore.http.messages import Answer, error_answer
from swarmcore.http.plain_sockets import quickened
from swarmcore.http.server.accepting import accept_connections, affordable_connections
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.exchange import ServerExchange
from swarmcore.http.server.heads import Head, KnownHeads
from swarmcore.http.server.incoming import ClientGone, Incoming
from swarmcore.http.server.rare_log import RareLog
from swarmcore.http.streams import BROKEN, client_of, keep_alive
from swarmcore.http.tls import TLSStream
from swarmcore.printable import printable
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

#: Header of an answer by a manager that did nothing because another one leads.
NOTHING_DONE = b"X-Swarmcore-Not-Primary"

#: The answer to HTTP without TLS where TLS is required: that of Go's server, so that of engines.
_SPEAK_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

ExchangeHandler = Callable[[ServerExchange], Awaitable[None]]

#: How many bytes of a body are still read after the answer, so that a connection reset does not
#: destroy the answer; Go's server reads the same amount.
_DRAIN_BYTES = 256 * 1024
_LINGER_SECONDS = 2.0
#: How often the server looks at an idle connection before it ends the connection.
_LOOKS = 60


class Server:
    """Serves connections until it is stopped.

    Args:
        handler: answers one exchange; may raise any exception, which becomes the answer.
        limits: limits for clients.
        grace_seconds: how long requests may continue after ``stop``.
    """

    def __init__(
        self,
        handler: ExchangeHandler,
        *,
        limits: Limits | None = None,
        grace_seconds: float = 10.0,
    ) -> None:
        self._handler = handler
        self._limits = limits or Limits()
        self._grace_seconds = grace_seconds
        self._accepting = trio.CancelScope()
        #: The connections without a request, the one that is idle longest first -> how often
        #: ``_end_idle`` has seen them so.
        self._idle: dict[trio.CancelScope, int] = {}
        self._affordable = affordable_connections(self._limits.connections)
        self._rare_log = RareLog(log)
        self._stopping = False
        self._count = 0
        self._peers: Counter[str] = Counter()
        self._known_heads = KnownHeads()

    @property
    def connection_count(self) -> int:
        """The number of open connections."""
        return self._count

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping

    def stop(self) -> None:
        """Stop accepting connections, close idle ones, and let others complete their request."""
        self._stopping = True
        self._accepting.cancel()
        for scope in self._idle:
            scope.cancel()

    async def run(
        self,
        listeners: Sequence[trio.abc.Listener[trio.abc.HalfCloseableStream]],
        *,
        task_status: trio.TaskStatus["Server"] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until stopped; the task has started when connections are accepted.

        Args:
            listeners: closed when this returns.
        """
        async with trio.open_nursery() as connections:
            with self._accepting:
                task_status.started(self)
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(self._end_idle)
                    for listener in listeners:
                        accepting.start_soon(
                            accept_connections,
                            listener,
                            self.serve_connection,
                            connections,
                            self._close_longest_idle,
                            self._rare_log,
                        )
            connections.cancel_scope.deadline = trio.current_time() + self._grace_seconds

    # ---- one connection

    async def serve_connection(self, stream: trio.abc.HalfCloseableStream) -> None:
        """Serve one connection to its end and close it; never raises."""
        stream = quickened(stream)
        peer = client_of(stream).host
        self._count += 1
        self._peers[peer] += 1
        try:
            if refusal := self._why_refused(peer):
                await self._turn_away(stream, refusal)
            else:
                await self._serve(stream)
        except (*BROKEN, ClientGone, trio.TooSlowError) as error:
            log.debug("connection ended: %r", error)
        except Exception:  # one connection must not end the others
            log.exception("connection failed")
        finally:
            self._count -= 1
            self._peers[peer] -= 1
            if not self._peers[peer]:
                del self._peers[peer]
            with trio.move_on_after(_LINGER_SECONDS, shield=True):
                await stream.aclose()

    def _why_refused(self, peer: str) -> Answer | None:
        """The answer to a connection beyond a limit; ``None`` within the limits."""
        most, most_of_peer = self._limits.connections, self._limits.peer_connections
        has_room = self._count <= self._affordable or self._close_longest_idle()
        if not has_room and self._count > most:
            self._rare_log.warning("refused a connection: %d are open, and none is idle", most)
            return error_answer(503, "too many connections")
        # Peers without an IP address are on this machine and need no limit.
        if 0 < most_of_peer < self._peers[peer] and peer not in ("", "unix"):
            self._rare_log.warning("refused a connection: %s has %d open", peer, most_of_peer)
            return error_answer(429, f"more than {most_of_peer} connections from {peer}")
        return None

    def _close_longest_idle(self) -> bool:
        """Begin to close the connection that is idle longest; return whether there is one."""
        scope = next(iter(self._idle), None)
        if scope is None:
            return False
        del self._idle[scope]
        scope.cancel()
        self._rare_log.warning(
            "closing the connections that are idle longest: %d are open, and new ones need their"
            " place; raise the limit of open files (ulimit -n, LimitNOFILE=)",
            self._count,
        )
        return True

    async def _turn_away(self, stream: trio.abc.HalfCloseableStream, answer: Answer) -> None:
        with trio.move_on_after(_LINGER_SECONDS):
            await stream.send_all(_whole(answer))

    async def _serve(self, stream: trio.abc.HalfCloseableStream) -> None:
        keep_alive(stream)
        if isinstance(stream, TLSStream):
            await self._shake_hands(stream)
        incoming = Incoming(stream, client_of(stream), self._limits, self._known_heads)
        while True:
            # Entered once for many requests, as that costs a third of a ping.
            with trio.CancelScope() as waiting:
                while await self._wait_request(incoming, waiting) and not waiting.cancel_called:
                    if not await self._serve_request(stream, incoming):
                        return
            # A request that arrived just before the waiting was ended is answered.
            if not (incoming.has_arrived and await self._serve_request(stream, incoming)):
                return

    async def _shake_hands(self, stream: TLSStream) -> None:
        """Perform the TLS handshake; tell a client that speaks plain HTTP what is wrong.

        Raises:
            ssl.SSLError: the client is not accepted.
            trio.BrokenResourceError: the connection broke.
            trio.TooSlowError: the client took too long.
        """
        with trio.fail_after(self._limits.handshake_seconds):
            try:
                await stream.do_handshake()
            except ssl.SSLError as error:
                if error.reason == "HTTP_REQUEST":
                    self._rare_log.warning("refused a client that sent HTTP without TLS")
                    await stream.transport_stream.send_all(_SPEAK_TLS)
                raise

    async def _wait_request(self, incoming: Incoming, waiting: trio.CancelScope) -> bool:
        if self._stopping:
            return False
        self._idle[waiting] = 0
        try:
            return await incoming.wait_request()
        finally:
            self._idle.pop(waiting, None)

    async def _end_idle(self) -> None:
        """End connections that had no request for too long."""
        while True:
            await trio.sleep(self._limits.idle_seconds / _LOOKS)
            for waiting, looks in self._idle.items():
                if looks == _LOOKS:
                    waiting.cancel()
                else:
                    self._idle[waiting] = looks + 1

    async def _serve_request(
        self, stream: trio.abc.HalfCloseableStream, incoming: Incoming
    ) -> bool:
        """Answer the request that has begun to arrive; return whether another may follow."""
        head = incoming.known_head() or await self._read_head(stream, incoming)
        if head is None:
            return False
        close = head.http10 or head.wants_close or self._stopping
        exchange = ServerExchange(
            head.request, stream, incoming, self._limits, http10=head.http10, close=close
        )
        await self._answer(exchange)
        if exchange.taken or not exchange.ended:
            return False
        if exchange.close or not (incoming.complete or await self._finish_body(incoming)):
            await self._linger(stream, incoming)
            return False
        incoming.next_request()
        return True

    async def _read_head(
        self, stream: trio.abc.HalfCloseableStream, incoming: Incoming
    ) -> Head | None:
        """The next head; ``None`` if there is none, in which case an error has been sent."""
        try:
            if head := incoming.plain_head():
                return head
            with trio.fail_after(self._limits.head_seconds):
                return await incoming.read_head()
        except trio.TooSlowError:
            answer = error_answer(408, "the request's head did not arrive in time")
        except SwarmError as error:
            answer = error_answer(error.status, str(error))
        await stream.send_all(_whole(answer))
        await self._linger(stream, None)
        return None

    async def _answer(self, exchange: ServerExchange) -> None:
        version = exchange.request.version
        try:
            await self._handler(exchange)
            if not (exchange.started or exchange.left):
                log.error("%s %s was not answered", exchange.request.method, exchange.request.path)
                await exchange.send(error_answer(500, "the request was not answered", version))
        except Exception as raised:
            error = cause_of(raised)
            if isinstance(error, ClientGone):
                return
            if not isinstance(error, SwarmError):
                log.exception("%s %s failed", exchange.request.method, exchange.request.path)
            if not exchange.started:
                await exchange.send(answer_to(error, version))
            # The error's traceback has this frame: without the cycle, the request's body and what
            # was made of it are freed at once.
            del error

    async def _finish_body(self, incoming: Incoming) -> bool:
        with trio.move_on_after(_LINGER_SECONDS):
            return await incoming.drain(_DRAIN_BYTES)
        return False

    async def _linger(
        self, stream: trio.abc.HalfCloseableStream, incoming: Incoming | None
    ) -> None:
        """Let the client read its answer: closing with unread input resets the connection."""
        if incoming is not None and (incoming.closed or incoming.complete):
            return
        left = _DRAIN_BYTES
        with trio.move_on_after(_LINGER_SECONDS):
            await stream.send_eof()
            while left > 0 and (data := await stream.receive_some()):
                left -= len(data)


def answer_to(error: Exception, version: ApiVersion | None = None) -> Answer:
    """The answer for an exception; only expected errors show their text.

    Args:
        error: the handler's exception.
        version: the client's API version; see ``error_answer``.
    """
    if isinstance(error, NotPrimary):
        answer = error_answer(error.status, str(error), version)
        return replace(answer, headers=(*answer.headers, (NOTHING_DONE, b"1")))
    if isinstance(error, EngineRefused):  # the engine's own words stay as they are
        return error_answer(error.status, str(error), version)
    if isinstance(error, SwarmError):
        # Clients print the text; it may have names from engines and stores.
        return error_answer(error.status, printable(str(error), keep="\n\t"), version)
    return error_answer(500, "internal error; the manager's log has the details", version)


def cause_of(error: Exception) -> Exception:
    """The exception in a group; if there are several, ``ClientGone``, which causes the others."""
    if not isinstance(error, ExceptionGroup):
        return error
    causes = [cause_of(inner) for inner in error.exceptions]
    gone = next((cause for cause in causes if isinstance(cause, ClientGone)), None)
    return gone or (causes[0] if len(causes) == 1 else error)


def _whole(answer: Answer) -> bytes:
    ends = ((b"Content-Length", b"%d" % len(answer.body)), (b"Connection", b"close"))
    return answer_head(answer.status, (*answer.headers, *ends)) + answer.body
