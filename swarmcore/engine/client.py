"""What a manager itself asks of one engine: each call with its deadline, each outcome reported.

What an outcome means for the engine's state is decided by the listener.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import CallsUnderWay, HTTPClient, Lifeline
from swarmcore.http.client.call import Call, ChunkedUpload, StreamedAnswer
from swarmcore.http.headers import request_headers
from swarmcore.http.messages import Answer, Headers
from swarmcore.protocols import AnswerStream, Upload

log = logging.getLogger(__name__)


class OutcomeListener(Protocol):
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


class EngineClient:
    """Asks one engine on behalf of this manager, until the engine leaves.

    What clients stream goes to the engine's ``HTTPClient`` directly, and goes on when it leaves.

    Args:
        http: sends requests.
        listener: told of each outcome.
        lifeline: the connections that *http* uses.
    """

    def __init__(
        self, http: HTTPClient, listener: OutcomeListener, lifeline: Lifeline | None = None
    ) -> None:
        self._lifeline = lifeline or Lifeline()
        self._http = http
        self._listener = listener
        self._under_way = CallsUnderWay()
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
            permit: see ``HTTPClient.call``.

        Raises:
            EngineUnreachable: no answer; ``sent`` tells whether the engine may have acted.
        """
        began = trio.current_time()
        if self._closed:
            raise self._unreachable("has left the cluster")
        try:
            with self._under_way.until_ended(self._has_left):
                with trio.move_on_after(seconds):
                    answer = await self._http.request(
                        method, target, body=body, headers=headers, permit=permit
                    )
                    self._listener.contacted()
                    return answer
                waited = trio.current_time() - began
                outcome = f"did not answer within {waited:.0f} s"
                raise self._unreachable(outcome, sent=True, silent=True)
        except EngineUnreachable as error:
            self._listener.lost_contact(error)
            await self._http.close_stale()  # else they last until the next request
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

        An answer on a connection that was open already does not tell.

        Args:
            seconds: how long that may take.

        Raises:
            EngineUnreachable: it does not; the listener is told.
        """
        if self._lifeline.takes_connections:
            return
        try:
            with trio.move_on_after(seconds):
                await self._http.knock()
                return
            raise self._unreachable("takes no connection", silent=True)
        except EngineUnreachable as error:
            self._listener.lost_contact(error)
            raise

    def events(self, target: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Follow the engine's events, line by line; see ``HTTPClient.lines``.

        The outcome is not reported: an event stream also ends where nothing is wrong.
        """
        return self._http.lines(target)

    @asynccontextmanager
    async def open(
        self, method: str, target: str, *, body: bytes | None = None, headers: Headers = ()
    ) -> AsyncIterator[AnswerStream]:
        """Ask and read the answer as it comes; without a deadline.  Arguments as for ``ask``."""
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
        with self._under_way.until_ended(self._has_left):
            try:
                async with self._http.call(method, target, headers, body) as call:
                    yield call
            except EngineUnreachable as error:
                self._listener.lost_contact(error)
                raise

    def close(self) -> None:
        """End every call of the manager's own, and refuse those to come: the engine leaves."""
        self._closed = True
        self._under_way.end()

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        await self._http.aclose()

    def _has_left(self) -> EngineUnreachable:
        return self._unreachable("has left the cluster", sent=True)

    def _unreachable(
        self, what: str, *, sent: bool = False, silent: bool = False
    ) -> EngineUnreachable:
        label = self._listener.label
        return EngineUnreachable(label, f"engine {label} {what}", sent=sent, silent=silent)
