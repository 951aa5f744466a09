"""Upload the client's body to several engines at once, piece by piece as it arrives.

The client can send no faster than the slowest engine reads, so that nothing accumulates in memory.
An engine that fails, or that reads nothing for a minute, is dropped; the others get the whole body.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.messages import Headers
from swarmcore.image_supply.progress import Report, report_answer
from swarmcore.protocols import Engine, Exchange, Upload
from swarmcore_api_docker.fanout.classic_progress import ClassicProgress
from swarmcore_api_docker.fanout.progress import AggregateProgress, IsResult

#: An engine that reads no byte of the body for this long is dropped.
STALL_SECONDS = 60.0
#: How many pieces, of at most about 256 KiB each, may wait for one engine.
_WAITING_PIECES = 1


async def upload_to_all(
    exchange: Exchange,
    engines: Sequence[Engine],
    path: str,
    work: str,
    *,
    on_progress: Callable[[Engine, Mapping[str, Any]], None],
    on_done: Callable[[Engine], Awaitable[None]],
    headers: Headers = (),
    is_result: IsResult | None = None,
    classic: ClassicProgress | None = None,
) -> None:
    """Send the request's body to every engine, and merge their progress into one answer.

    Args:
        exchange: the client's request.
        engines: the engines that get the body.
        path: path and query for the engines.
        work: the name of the work for errors: ``load``.
        on_progress: called with each line of progress before it is sent to the client.
        on_done: awaited when an engine has succeeded, before the client's answer ends.
        headers: added to each engine's request.
        is_result: see ``AggregateProgress``.
        classic: the form of the progress for ``swarm.compat=classic``; ``None`` otherwise.
    """
    tee = _Tee(exchange, engines)

    async def perform(engine: Engine, report: Report) -> None:
        async def observe(message: dict[str, Any]) -> None:
            on_progress(engine, message)
            await report(message)

        opening = engine.upload("POST", path, headers=headers, version=exchange.request.version)
        # Close the branch with its engine, even if the connection to the engine fails: an open
        # branch that nobody reads would stop the body for all engines.
        async with tee.branch(engine) as body, opening as upload:
            await _converse(engine, upload, body, observe)
        await on_done(engine)

    wrapped = perform if classic is None else classic.wrap(perform)
    await AggregateProgress(
        exchange, engines, work, wrapped, tee.pour, is_result, names_nodes=classic is None
    ).run()


class _Tee:
    """Copies the body into one channel (a branch) for each engine.

    Every branch exists before the first piece is read, so that no engine misses the beginning.
    """

    def __init__(self, exchange: Exchange, engines: Sequence[Engine]) -> None:
        self._exchange = exchange
        channels = [trio.open_memory_channel[bytes](_WAITING_PIECES) for _ in engines]
        self._inlets = [inlet for inlet, _ in channels]
        self._outlets = {
            engine.node.id: outlet for engine, (_, outlet) in zip(engines, channels, strict=True)
        }

    def branch(self, engine: Engine) -> "trio.MemoryReceiveChannel[bytes]":
        """Return the body for one engine; it ends only at the end of the body."""
        return self._outlets[engine.node.id]

    async def pour(self) -> None:
        """Copy the body until it ends, or until every engine is dropped.

        Raises:
            ClientGone: the client closed its connection before the end.  The branches stay open, so
                that no engine takes the part that it got for the whole body.
        """
        while self._inlets:
            data = await self._exchange.receive_chunk()
            if not data:
                break
            for inlet in tuple(self._inlets):
                try:
                    await inlet.send(data)
                except trio.BrokenResourceError:
                    self._inlets.remove(inlet)
        for inlet in self._inlets:
            inlet.close()


async def _converse(
    engine: Engine, upload: Upload, body: "trio.MemoryReceiveChannel[bytes]", report: Report
) -> None:
    """Send one engine its branch, and read its answer at the same time.

    Raises:
        EngineError: the engine refused, failed or stalled.
    """
    failure: EngineError | None = None
    stalled = False

    async def feed() -> None:
        nonlocal stalled
        if not await _feed(upload, body):
            stalled = True
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        try:
            await report_answer(engine, await upload.answer(), report)
        except EngineError as error:  # raised outside the nursery, which would wrap it in a group
            failure = error
        nursery.cancel_scope.cancel()
    if stalled:
        name = engine.node.name
        raise EngineError(name, f"engine {name} took nothing for {STALL_SECONDS:.0f} s; dropped")
    if failure is not None:
        raise failure


async def _feed(upload: Upload, body: "trio.MemoryReceiveChannel[bytes]") -> bool:
    """Send one branch to its end.

    Returns:
        False if the engine stalled.
    """
    # An engine that refuses the body may close the connection early; its answer gives the reason.
    with suppress(EngineUnreachable):
        async with body:  # close at once in any case, so that the tee does not wait for this engine
            async for data in body:
                with trio.move_on_after(STALL_SECONDS) as scope:
                    await upload.send(data)
                if scope.cancelled_caught:
                    return False
        await upload.finish()
    return True
