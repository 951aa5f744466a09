"""One engine as API plugins use it: whole answers, streams, uploads, its cache."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from swarmcore.http.messages import Answer, Headers
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.versions import ApiVersion


class AnswerStream(Protocol):
    """An engine's answer as it arrives."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """The answer's headers."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, framing removed.

        Raises:
            EngineUnreachable: the connection broke before the end.
        """
        ...


class Upload(Protocol):
    """A request to an engine whose body is sent piece by piece; one task sends, another reads."""

    async def send(self, data: bytes) -> None:
        """A piece of the body; waits until the connection has taken it.

        Raises:
            EngineUnreachable: the connection broke; an answer may have come all the same.
        """
        ...

    async def finish(self) -> None:
        """The end of the body.

        Raises:
            EngineUnreachable: as for ``send``.
        """
        ...

    async def answer(self) -> AnswerStream:
        """The answer, once its head is there, which may be before the body's end.

        Raises:
            EngineUnreachable: there is none.
        """
        ...


class Engine(Protocol):
    """One Docker Engine, as API plugins use it."""

    @property
    def node(self) -> Node:
        """What is known of it."""
        ...

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> Answer:
        """Ask the engine and read the whole answer: for small JSON, with a deadline.

        Args:
            method: upper case.
            path: path and query, percent-encoded, without version prefix.
            body: sent with its length; ``None`` sends none.
            headers: added to the request.
            version: the client's; clamped to what the engine speaks.  ``None``: the newest that
                both speak.

        Returns:
            The answer, whatever its status.

        Raises:
            EngineUnreachable: no answer.
        """
        ...

    def open(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AbstractAsyncContextManager[AnswerStream]:
        """Ask the engine and read the answer as it comes: for merging what several engines stream.

        Entered when the answer's head is there.  No deadline but the connection's; leaving the
        block early ends the engine's work.  Arguments as for ``call``.

        Raises:
            EngineUnreachable: no answer.
        """
        ...

    def upload(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AbstractAsyncContextManager[Upload]:
        """Send the engine a body of unknown length, chunk by chunk, full duplex.

        Entered when the request's head is sent.  No deadline but the caller's; leaving the block
        before the body's end cuts the request off.  Arguments as for ``call``.

        Raises:
            EngineUnreachable: no connection.
        """
        ...

    def settling(self, id: str, *verbs: str) -> Callable[[int], Awaitable[None]]:
        """Prepare for a change of one container that the engine is about to be asked for.

        Args:
            id: the container's, whole.
            verbs: the engine's events of which any tells that the change is complete.

        Returns:
            To be awaited with the answer's status: when it returns, every later read shows the
            change.  It waits for the engine's own event, or reads the container once.  Raises
            ``EngineError`` where that could not be read.
        """
        ...

    async def refresh_container(self, id: str) -> Container | None:
        """Re-read one container now; returns it, or ``None`` when it is gone.

        As with the lists below, those who ask meanwhile share the next reading.
        """
        ...

    async def refresh_containers(self) -> None:
        """Re-read the container list now, and what has changed in it.

        Raises:
            EngineError: it could not be read.
        """
        ...

    async def refresh_images(self) -> None:
        """Re-read the image list now.

        Raises:
            EngineError: it could not be read.
        """
        ...

    async def refresh_specs(self) -> None:
        """Read its version and info again: resources, labels, plugins, swarm.

        Raises:
            EngineError: no answer, or another engine answers.
        """
        ...

    async def refresh_networks(self) -> None:
        """Re-read the network list now.

        Raises:
            EngineError: it could not be read.
        """
        ...

    async def refresh_volumes(self) -> None:
        """Re-read the volume list now.

        Raises:
            EngineError: it could not be read.
        """
        ...

    def forget_container(self, id: str) -> None:
        """Drop one container from the cache: the engine just removed it."""
        ...

    def put_network(self, document: Mapping[str, Any]) -> None:
        """Show a network: the engine just made it.

        Args:
            document: its object in ``GET /networks``, or as much of it as is known.
        """
        ...

    def forget_network(self, id: str) -> None:
        """Drop one network from the cache: it was just removed, by this engine or by another that
        it spans."""
        ...

    def put_volume(self, document: Mapping[str, Any]) -> None:
        """Show a volume: the engine just made it.

        Args:
            document: its object in ``GET /volumes``, which the answer to its create is.
        """
        ...

    def forget_volume(self, name: str) -> None:
        """Drop one volume from the cache: the engine just removed it."""
        ...
