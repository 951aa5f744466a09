"""The manager's own requests to one engine: each with a time limit, each outcome reported.

The listener decides what an outcome means for the engine's state.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import CallsUnderWay, HTTPClient, Lifeline, Probe
from swarmcore.http.client.call import Call
from swarmcore.http.client.streamed import ChunkedUpload, StreamedAnswer
from swarmcore.http.headers import request_headers
from swarmcore.http.messages import Answer, Headers
from swarmcore.protocols import AnswerStream, Upload

log = logging.getLogger(__name__)

#: How long to wait for the next answer to requests that were sent at once; after that, they are
#: sent one by one, with their own time limits.  An answer is noted if so much of that time is gone,
#: because noting each of them would take a tenth of the time of reading it.
_NEXT_SECONDS, _NOTED_SECONDS = 5.0, 0.5

_PING = "/_ping"


class OutcomeListener(Protocol):
    """Receives the outcomes of requests."""

    @property
    def label(self) -> str:
        """The engine's name or address, for error texts."""
        ...

    def contacted(self) -> None:
        """The engine answered."""
        ...

    def lost_contact(self, error: EngineError) -> None:
        """The engine did not answer."""
        ...


class EngineClient:
    """Sends the manager's own requests to one engine, until the engine leaves the cluster.

    Clients' streams use the engine's ``HTTPClient`` directly and continue after it has left.

    Args:
        http: sends requests.
        listener: notified of each outcome.
        lifeline: monitors the connections of *http*.
    """

    def __init__(
        self, http: HTTPClient, listener: OutcomeListener, lifeline: Lifeline | None = None
    ) -> None:
        self._lifeline = lifeline or Lifeline()
        self._http = http
        self._listener = listener
        self._under_way = CallsUnderWay()
        self._closed = False
        #: Whether the engine answers several requests that are sent at once: a proxy in front of it
        #: may not.
        self._answers_several = True

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
        """Send a request and read the whole answer.

        Args:
            method: upper case.
            target: path and query, with version prefix.
            body: sent with ``Content-Length``; ``None`` sends no body.
            headers: added to the request.
            seconds: time limit.
            permit: see ``HTTPClient.call``.

        Raises:
            EngineUnreachable: no answer; ``sent`` tells whether the engine may have acted.
        """
        began = trio.current_time()
        if self._closed:
            raise self._unreachable("has left the cluster")
        try:
            with self._under_way.until_ended(self._has_left) as block:
                block.limit(seconds)
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
            await self._http.close_stale()  # otherwise they stay open until the next request
            raise

    async def get_several(self, targets: Sequence[str], *, seconds: float) -> list[Answer]:
        """Read several small objects on one connection, which costs less than single requests.

        Args:
            targets: paths and queries, with version prefix.
            seconds: time limit of each request that is sent alone.

        Returns:
            The answers in the order of *targets*.

        Raises:
            EngineUnreachable: the engine does not answer.
        """
        if self._closed:
            raise self._unreachable("has left the cluster")
        answers: list[Answer] = []
        try:
            with self._under_way.until_ended(self._has_left):
                if self._answers_several and len(targets) > 1:
                    answers = await self._get_at_once(targets)
        except EngineUnreachable as error:
            self._listener.lost_contact(error)
            await self._http.close_stale()
            raise
        for target in targets[len(answers) :]:
            answers.append(await self.ask("GET", target, seconds=seconds))
        return answers

    async def _get_at_once(self, targets: Sequence[str]) -> list[Answer]:
        answers: list[Answer] = []
        with trio.move_on_after(_NEXT_SECONDS) as limit:

            def answered(answer: Answer) -> None:
                answers.append(answer)
                new = trio.current_time() + _NEXT_SECONDS
                if new - limit.deadline > _NOTED_SECONDS:
                    limit.deadline = new
                    self._listener.contacted()

            await self._http.request_several(targets, answered)
        self._answers_several = not limit.cancelled_caught
        if answers:
            self._listener.contacted()
        return answers

    async def ping(self, seconds: float) -> None:
        """Check that the engine answers; a failure is reported to the listener, not raised.

        Args:
            seconds: time limit for the connection, and for the answer.
        """
        try:
            await self.knock(seconds)
            await self.ask("GET", _PING, seconds=seconds)
        except EngineError as error:
            log.debug("engine %s does not answer a ping: %s", self._listener.label, error)

    def probe(self) -> Probe | None:
        """Send a ping whose answer is not waited for, and not reported to the listener.

        Returns:
            ``None`` if only ``ping`` is possible now.
        """
        if self._closed or not self._lifeline.takes_connections:
            return None
        return self._http.probe(_PING)

    async def knock(self, seconds: float) -> None:
        """Check that the engine accepts new connections, if it did not accept the last one.

        An answer on an existing connection does not prove that.

        Args:
            seconds: time limit.

        Raises:
            EngineUnreachable: it accepts none; the listener is notified.
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
        """Follow the engine's events line by line; see ``HTTPClient.lines``.

        The outcome is not reported, as an event stream also ends without a failure.
        """
        return self._http.lines(target)

    @asynccontextmanager
    async def open(
        self, method: str, target: str, *, body: bytes | None = None, headers: Headers = ()
    ) -> AsyncIterator[AnswerStream]:
        """Send a request and read the answer as it arrives, without time limit; see ``ask``."""
        sent = request_headers(method, headers, length=len(body or b""))
        async with self._stream(method, target, sent, body or b"") as call:
            stream = StreamedAnswer(await call.read_head(), call)
            self._listener.contacted()
            yield stream

    @asynccontextmanager
    async def upload(
        self, method: str, target: str, *, headers: Headers = ()
    ) -> AsyncIterator[Upload]:
        """Send a chunked body and read the answer at the same time, without time limit."""
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
        """Abort the manager's requests under way and refuse new ones: the engine has left."""
        self._closed = True
        self._under_way.end()

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._http.aclose()

    def _has_left(self) -> EngineUnreachable:
        return self._unreachable("has left the cluster", sent=True)

    def _unreachable(
        self, what: str, *, sent: bool = False, silent: bool = False
    ) -> EngineUnreachable:
        label = self._listener.label
        return EngineUnreachable(label, f"engine {label} {what}", sent=sent, silent=silent)
