"""The client's body, sent to several engines at once, each piece as it comes.

The slowest engine holds the client back, so nothing piles up here.  An engine that fails, or takes
nothing for a minute, loses its part; the others get everything.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.messages import Headers
from swarmcore.protocols import Engine, Exchange, Upload
from swarmcore_api_docker.fanout.progress import IsResult, JointWork, Report, report_answer
from swarmcore_api_docker.images.new_names import Naming

#: An engine that takes no byte for so long will not take any.
STALL_SECONDS = 60.0
#: Pieces, of at most some 256 KiB each, that wait for one engine.
_WAITING_PIECES = 1


async def send_to_all(
    exchange: Exchange,
    engines: Sequence[Engine],
    path: str,
    work: str,
    *,
    naming: Naming,
    headers: Headers = (),
    is_result: IsResult | None = None,
) -> None:
    """Send the request's body to every engine, and answer with their progress as one stream.

    Each engine's images are read anew before the answer ends.

    Args:
        exchange: the client's.
        engines: who gets it.
        path: path and query for the engines.
        work: names it in errors: ``load``.
        headers: added to each engine's request.
        is_result: see ``JointWork``.
    """
    tee = _Tee(exchange, engines)

    async def perform(engine: Engine, report: Report) -> None:
        async def hear(message: dict[str, Any]) -> None:
            naming.hear(engine, message)
            await report(message)

        opening = engine.upload("POST", path, headers=headers, version=exchange.request.version)
        # The branch ends with its engine, also with one that cannot be connected to.
        async with tee.branch(engine) as body, opening as upload:
            await _converse(engine, upload, body, hear)
        await naming.settle(engine)

    await JointWork(exchange, engines, work, perform, tee.pour, is_result).run()


class _Tee:
    """Copies the body; every branch exists before the first piece is read."""

    def __init__(self, exchange: Exchange, engines: Sequence[Engine]) -> None:
        self._exchange = exchange
        channels = [trio.open_memory_channel[bytes](_WAITING_PIECES) for _ in engines]
        self._inlets = [inlet for inlet, _ in channels]
        self._outlets = {
            engine.node.id: outlet for engine, (_, outlet) in zip(engines, channels, strict=True)
        }

    def branch(self, engine: Engine) -> "trio.MemoryReceiveChannel[bytes]":
        """What one engine is to get; ends where the body ends, and only there."""
        return self._outlets[engine.node.id]

    async def pour(self) -> None:
        """Copy the body to its end, or until nobody takes it.

        Raises:
            ClientGone: before the end; the branches are left open, for they are not complete.
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
    """Send one engine its branch while its answer is read, which may come at any time.

    Raises:
        EngineError: it refused, failed or stalled.
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
        except EngineError as error:  # raised again outside, where no group wraps it
            failure = error
        nursery.cancel_scope.cancel()
    if stalled:
        name = engine.node.name
        raise EngineError(name, f"engine {name} took nothing for {STALL_SECONDS:.0f} s; dropped")
    if failure is not None:
        raise failure


async def _feed(upload: Upload, body: "trio.MemoryReceiveChannel[bytes]") -> bool:
    """Send one branch to its end; returns whether the engine kept taking it."""
    # The engine may refuse and close while we are sending: then its answer says why.
    with suppress(EngineUnreachable):
        async with body:  # closed at once in any case: the others must not wait for this one
            async for data in body:
                with trio.move_on_after(STALL_SECONDS) as scope:
                    await upload.send(data)
                if scope.cancelled_caught:
                    return False
        await upload.finish()
    return True
