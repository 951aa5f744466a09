"""One Docker Engine as API plugins use it: requests, streams, uploads, and its cached state."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from swarmcore.http.messages import Answer, Headers
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.versions import ApiVersion


class AnswerStream(Protocol):
    """An engine's answer whose body is read as it arrives."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """The answer's headers."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the body in pieces, without transfer encoding.

        Raises:
            EngineUnreachable: the connection broke before the end of the body.
        """
        ...


class Upload(Protocol):
    """A request whose body is sent in pieces; one task may send while another reads the answer."""

    async def send(self, data: bytes) -> None:
        """Send a piece of the body; returns when the connection has accepted it.

        Raises:
            EngineUnreachable: the connection broke; ``answer`` may still return an answer.
        """
        ...

    async def finish(self) -> None:
        """End the body.

        Raises:
            EngineUnreachable: the connection broke.
        """
        ...

    async def answer(self) -> AnswerStream:
        """Wait for the head of the answer, which may arrive before the body is complete.

        Raises:
            EngineUnreachable: there is no answer.
        """
        ...


class Engine(Protocol):
    """One Docker Engine, as API plugins use it."""

    @property
    def node(self) -> Node:
        """The manager's view of this engine."""
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
        """Send a request and read the whole answer.  For small JSON answers; has a deadline.

        Args:
            method: upper case.
            path: path and query, percent-encoded, without version prefix.
            body: sent with ``Content-Length``; ``None`` sends no body.
            headers: added to the request.
            version: the client's API version, limited to the versions that the engine supports;
                ``None``: the newest version that the core and the engine support.

        Returns:
            The answer, whatever its status.

        Raises:
            EngineUnreachable: there is no answer.
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
        """Send a request and read the answer as it arrives, as for merging several streams.

        The block is entered when the head of the answer has arrived.  The only time limits are the
        connection's.  Leaving the block early cancels the request at the engine.  Arguments as for
        ``call``.

        Raises:
            EngineUnreachable: there is no answer.
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
        """Send a body of unknown length in pieces, full duplex.

        The block is entered when the head of the request has been sent.  The caller sets the time
        limit.  Leaving the block before the end of the body aborts the request.  Arguments as for
        ``call``.

        Raises:
            EngineUnreachable: there is no connection.
        """
        ...

    def settling(self, id: str, *verbs: str) -> Callable[[int], Awaitable[None]]:
        """Prepare for a change of one container; call before the engine is asked to change it.

        Args:
            id: the full container id.
            verbs: actions of engine events; any of them shows that the change is complete.

        Returns:
            A function to await with the status of the engine's answer.  It returns when the cache
            shows the change: it waits for the engine's event or reads the container once.  It
            raises ``EngineError`` if the container cannot be read.
        """
        ...

    async def refresh_container(self, id: str) -> Container | None:
        """Read one container again; return it, or ``None`` if it no longer exists.

        Concurrent callers of this method and of those below share one read.
        """
        ...

    async def refresh_containers(self) -> None:
        """Read the container list again, and each container that has changed.

        Raises:
            EngineError: it cannot be read.
        """
        ...

    async def refresh_images(self) -> None:
        """Read the image list again.

        Raises:
            EngineError: it cannot be read.
        """
        ...

    async def refresh_specs(self) -> None:
        """Read version and info again: resources, labels, plugins, swarm state.

        Raises:
            EngineError: there is no answer, or another engine answers at this address.
        """
        ...

    async def refresh_networks(self) -> None:
        """Read the network list again.

        Raises:
            EngineError: it cannot be read.
        """
        ...

    async def refresh_volumes(self) -> None:
        """Read the volume list again.

        Raises:
            EngineError: it cannot be read.
        """
        ...

    def forget_container(self, id: str) -> None:
        """Remove one container from the cache: the engine has just removed it."""
        ...

    def put_network(self, document: Mapping[str, Any]) -> None:
        """Add a network to the cache: the engine has just created it.

        Args:
            document: the network's object in ``GET /networks``; may be incomplete.
        """
        ...

    def forget_network(self, id: str) -> None:
        """Remove one network from the cache: this engine, or another that shares the network, has
        just removed it."""
        ...

    def put_volume(self, document: Mapping[str, Any]) -> None:
        """Add a volume to the cache: the engine has just created it.

        Args:
            document: the volume's object in ``GET /volumes``, which is also the create's answer.
        """
        ...

    def forget_volume(self, name: str) -> None:
        """Remove one volume from the cache: the engine has just removed it."""
        ...
