"""Contact with one engine, on both paths: each call with its deadline, each outcome reported.

Knows which path carries what, and ends calls that nobody will answer any more.  What an outcome
means for the engine's state is the listener's matter.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.messages import Answer, Headers
from swarmcore.protocols import AnswerStream, Upload
from swarmcore.relay.forwarding import request_headers
from swarmcore.transport import EngineClient
from swarmcore.transport.lifeline import Lifeline
from swarmcore.upstream import Upstream
from swarmcore.upstream.call import Call, StreamedAnswer
from swarmcore.upstream.upload import ChunkedUpload

log = logging.getLogger(__name__)


class ContactListener(Protocol):
    """Hears how calls went."""

    @property
    def label(self) -> str:
        """What errors call the engine."""
        ...

    def contacted(self) -> None:
        """The engine answered."""
        ...

    def lost_contact(self, error: EngineError) -> None:
        """It did not."""
        ...


class Contact:
    """What this manager asks one engine.

    Args:
        client: the control path.
        upstream: the data path.
        listener: told of each outcome.
        lifeline: the connections of both paths.
    """

    def __init__(
        self,
        client: EngineClient,
        upstream: Upstream,
        listener: ContactListener,
        lifeline: Lifeline | None = None,
    ) -> None:
        self._lifeline = lifeline or Lifeline()
        self._client = client
        self._upstream = upstream
        self._listener = listener
        self._under_way: set[trio.CancelScope] = set()
        self._closed = False

    async def ask(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        seconds: float,
        permit: Callable[[], None] | None = None,
    ) -> Answer:
        """Ask and read the whole answer.

        Args:
            method: upper case.
            target: path and query, version prefix included.
            body: sent with its length; ``None`` sends none.
            headers: added to the request.
            seconds: how long an answer may take.
            permit: see ``EngineClient.request``.

        Raises:
            EngineUnreachable: no answer; ``sent`` tells whether the engine may have acted.
        """
        began, label = trio.current_time(), self._listener.label
        if self._closed:
            raise EngineUnreachable(label, f"engine {label} has left the cluster")
        try:
            with trio.move_on_after(seconds) as scope, self._listed(scope):
                answer = await self._client.request(
                    method, target, body=body, headers=headers, permit=permit
                )
                self._listener.contacted()
                return answer
            outcome = self._outcome(scope.deadline, trio.current_time() - began)
            raise EngineUnreachable(label, f"engine {label} {outcome}", sent=True, silent=True)
        except EngineUnreachable as error:
            self._listener.lost_contact(error)
            await self._upstream.close_stale()  # else they last until the next stream
            raise

    async def ping(self, seconds: float) -> None:
        """Ask for a sign of life; the listener is told of a failure, which is not raised.

        Args:
            seconds: how long the answer may take.
        """
        try:
            await self.knock(seconds)
            await self.ask("GET", "/_ping", seconds=seconds)
        except EngineError as error:
            log.debug("engine %s does not answer a ping: %s", self._listener.label, error)

    async def knock(self, seconds: float) -> None:
        """See whether the engine takes a new connection, where it took none the last time.

        An answer on a connection that there was does not tell.

        Args:
            seconds: how long that may take.

        Raises:
            EngineUnreachable: it does not; the listener is told.
        """
        if self._lifeline.takes_connections:
            return
        try:
            with trio.move_on_after(seconds):
                await self._upstream.knock()
                return
            label = self._listener.label
            raise EngineUnreachable(label, f"engine {label} takes no connection", silent=True)
        except EngineUnreachable as error:
            self._listener.lost_contact(error)
            raise

    @asynccontextmanager
    async def open(
        self, method: str, target: str, *, body: bytes | None = None, headers: Headers = ()
    ) -> AsyncIterator[AnswerStream]:
        """Ask and read the answer as it comes; without a deadline.  Arguments as for ``ask``."""
        # The data path: what streams may be left early, which httpx's iterators do not survive.
        sent = request_headers(method, headers, length=len(body or b""))
        async with self._stream(method, target, sent, body or b"") as call:
            stream = StreamedAnswer(await call.read_head(), call)
            self._listener.contacted()
            yield stream

    @asynccontextmanager
    async def upload(
        self, method: str, target: str, *, headers: Headers = ()
    ) -> AsyncIterator[Upload]:
        """Send a chunked body and read the answer meanwhile; without a deadline."""
        chunked = (*headers, (b"Transfer-Encoding", b"chunked"))
        sent = request_headers(method, chunked, length=None)
        async with self._stream(method, target, sent) as call:
            yield ChunkedUpload(call, self._listener.contacted)

    @asynccontextmanager
    async def _stream(
        self, method: str, target: str, headers: Headers, body: bytes = b""
    ) -> AsyncIterator[Call]:
        """A call on the data path, which ends when the engine is found not to answer."""
        label = self._listener.label
        with trio.CancelScope() as scope, self._listed(scope):
            try:
                async with self._upstream.call(method, target, headers, body) as call:
                    yield call
            except EngineUnreachable as error:
                self._listener.lost_contact(error)
                raise
        if scope.cancelled_caught:
            raise EngineUnreachable(label, f"engine {label} does not answer any more", sent=True)

    def abandon(self) -> None:
        """End every call under way: the engine was found not to answer."""
        for scope in self._under_way:
            scope.cancel()

    def close(self) -> None:
        """End every call under way, and refuse those to come."""
        self._closed = True
        self.abandon()

    async def aclose(self) -> None:
        """Close the connections of both paths."""
        await self._client.aclose()
        await self._upstream.aclose()

    def _outcome(self, deadline: float, waited_seconds: float) -> str:
        """Why a call ended without an answer; one that was ended early was not too slow."""
        if self._closed:
            return "has left the cluster"
        if trio.current_time() < deadline:
            return "does not answer any more"
        return f"did not answer within {waited_seconds:.0f} s"

    @contextmanager
    def _listed(self, scope: trio.CancelScope) -> Iterator[None]:
        self._under_way.add(scope)
        try:
            yield
        finally:
            self._under_way.discard(scope)
