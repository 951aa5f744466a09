"""An engine that answers from a script."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio

from swarmcore.http.messages import Answer, Headers
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.protocols import Engine
from swarmcore.versions import ApiVersion


@dataclass
class ScriptedStream:
    """An engine's answer in pieces; an event among the pieces is waited for."""

    status: int
    headers: Headers
    pieces: Iterable[Any]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await trio.lowlevel.checkpoint()
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, trio.Event):
                await piece.wait()
            else:
                yield piece


@dataclass
class ScriptedUpload:
    """A request whose body a handler sends in pieces; ``sent`` records the body."""

    reply: ScriptedStream
    sent: bytearray = field(default_factory=bytearray)
    finished: bool = False

    async def send(self, data: bytes) -> None:
        """Record a piece of the body."""
        await trio.lowlevel.checkpoint()
        self.sent += data

    async def finish(self) -> None:
        """Record the end of the body."""
        await trio.lowlevel.checkpoint()
        self.finished = True

    async def answer(self) -> ScriptedStream:
        """Return the scripted answer."""
        await trio.lowlevel.checkpoint()
        return self.reply


@dataclass
class ScriptedEngine:
    """An ``Engine`` that answers from a script.

    Attributes:
        node: the node of the engine.
        answers: path without query -> answer.  An answer is an ``Answer``; or a pair of a status
            and the pieces of a stream, each ``bytes``, an exception to raise or a ``trio.Event`` to
            wait for; or an exception to raise instead of an answer.  A request for another path
            raises ``KeyError``, because the test does not expect it.
        asked: method, path and headers of every request, in order.
        uploads: every request with a body in pieces.
        refreshed: ids of containers, and names of lists, that were read again.
        forgotten: ids of objects that were removed from the cache.
    """

    node: Node
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Headers]] = field(default_factory=list)
    uploads: list[ScriptedUpload] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> Answer:
        """See ``Engine``; if the script has an event, waits for it and answers 204."""
        await trio.lowlevel.checkpoint()
        answer = self._answer(method, path, headers)
        if isinstance(answer, trio.Event):
            await answer.wait()
            return Answer(204)
        assert isinstance(answer, Answer), f"{path} is scripted as a stream, and was called"
        return answer

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AsyncIterator[ScriptedStream]:
        """See ``Engine``."""
        await trio.lowlevel.checkpoint()
        yield _stream(self._answer(method, path, headers))

    @asynccontextmanager
    async def upload(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AsyncIterator[ScriptedUpload]:
        """See ``Engine``."""
        await trio.lowlevel.checkpoint()
        upload = ScriptedUpload(_stream(self._answer(method, path, headers)))
        self.uploads.append(upload)
        yield upload

    def _answer(self, method: str, path: str, headers: Headers) -> Any:
        self.asked.append((method, path, headers))
        answer = self.answers[path.partition("?")[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def settling(self, id: str, *verbs: str) -> Callable[[int], Awaitable[None]]:
        """See ``Engine``; records the container in ``refreshed`` when the change was awaited."""

        async def settle(status: int) -> None:
            self.refreshed.append(id)

        return settle

    async def refresh_container(self, id: str) -> Container | None:
        """See ``Engine``."""
        self.refreshed.append(id)
        return self.node.containers.get(id)

    async def refresh_containers(self) -> None:
        """See ``Engine``."""
        self.refreshed.append("containers")

    async def refresh_images(self) -> None:
        """See ``Engine``."""
        self.refreshed.append("images")

    async def refresh_specs(self) -> None:
        """See ``Engine``."""
        self.refreshed.append("specs")

    async def refresh_networks(self) -> None:
        """See ``Engine``."""
        self.refreshed.append("networks")

    async def refresh_volumes(self) -> None:
        """See ``Engine``."""
        self.refreshed.append("volumes")

    def forget_container(self, id: str) -> None:
        """See ``Engine``."""
        self.forgotten.append(id)

    def put_network(self, document: Mapping[str, Any]) -> None:
        """See ``Engine``."""
        self.node.networks = {**self.node.networks, document["Id"]: document}

    def forget_network(self, id: str) -> None:
        """See ``Engine``."""
        self.forgotten.append(id)

    def put_volume(self, document: Mapping[str, Any]) -> None:
        """See ``Engine``."""
        self.node.volumes = {**self.node.volumes, document["Name"]: document}

    def forget_volume(self, name: str) -> None:
        """See ``Engine``."""
        self.forgotten.append(name)


def _stream(answer: Any) -> ScriptedStream:
    if isinstance(answer, Answer):
        return ScriptedStream(answer.status, answer.headers, [answer.body])
    status, pieces = answer
    return ScriptedStream(status, (), pieces)


if TYPE_CHECKING:

    def _is_an_engine(engine: ScriptedEngine) -> Engine:
        return engine
