"""Routes of logs and attach."""

import re
from collections.abc import Awaitable, Callable

import trio

from swarmcore.errors import BadRequest, NotFound
from swarmcore.testing.documents.moments import NANO, timestamp
from swarmcore.testing.embedded.call import MULTIPLEXED, RAW, Call
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.output import STDERR, STDOUT, LogLine, Pipes, frame

Send = Callable[[bytes], Awaitable[None]]

#: The bytes that Ctrl-P Ctrl-Q sends.
_DETACH_KEYS = b"\x10\x11"
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def wanted_streams(call: Call) -> set[int]:
    """Return the output streams that a request asks for."""
    asked = {STDOUT: call.query.flag("stdout"), STDERR: call.query.flag("stderr")}
    return {stream for stream, wanted in asked.items() if wanted}


# ---- logs


async def _logs(engine: Host, call: Call) -> None:
    record = engine.state.find_container(call.params["name"])
    streams = wanted_streams(call)
    if not streams:
        raise BadRequest("Bad parameters: you must choose at least one stream")
    multiplexed = not record.tty and call.version >= (1, 42)
    async with call.stream(((b"Content-Type", MULTIPLEXED if multiplexed else RAW),)) as send:
        lines = _tail(record.log.read(), streams, call.query.get("tail"))
        position = record.log.end
        await _send_lines(lines, record, call, send)
        while call.query.flag("follow") and not _is_over(record, position):
            if position == record.log.end:
                await record.log.wait_changed()
            lines = [line for line in record.log.read(position) if line.stream in streams]
            position = record.log.end
            await _send_lines(lines, record, call, send)


def _is_over(record: ContainerRecord, position: int) -> bool:
    ended = not record.alive and bool(record.started)
    return (ended or record.removed.is_set()) and position == record.log.end


def _tail(lines: list[LogLine], streams: set[int], tail: str) -> list[LogLine]:
    wanted = [line for line in lines if line.stream in streams]
    if tail.isdigit():
        return wanted[-int(tail) :] if int(tail) else []
    return wanted


async def _send_lines(
    lines: list[LogLine], record: ContainerRecord, call: Call, send: Send
) -> None:
    since, until = _seconds(call, "since", 0.0), _seconds(call, "until", float("inf"))
    for line in lines:
        if not since <= line.time_nano / NANO <= until:
            continue
        data = line.data
        if call.query.flag("timestamps"):
            data = timestamp(line.time_nano).encode() + b" " + data
        await send(data if record.tty else frame(line.stream, data))


def _seconds(call: Call, key: str, default: float) -> float:
    text = call.query.get(key)
    if text and not _SECONDS.fullmatch(text):
        raise BadRequest(f'invalid value for "{key}": {text}')
    return float(text) if text and float(text) else default


# ---- attach


async def _attach(engine: Host, call: Call) -> None:
    try:
        record = engine.state.find_container(call.params["name"])
    except NotFound as error:
        await _refuse_attach(call, str(error))
        return
    engine.state.tell(record, "attach")
    query, streams = call.query, wanted_streams(call)
    history = record.log.read() if query.flag("logs") else []
    if not query.flag("stream"):
        stream = await call.hijack(multiplexed=not record.tty)
        await _send_history(stream, history, record, streams)
        return
    pipes = record.need_pipes()
    with pipes.watch() as output:
        stream = await call.hijack(multiplexed=not record.tty)
        await _send_history(stream, history, record, streams)
        reads = query.flag("stdin") and bool(record.config["OpenStdin"])
        detached = await carry(
            stream,
            pipes if reads else None,
            output,
            streams,
            tty=record.tty,
            end_input=bool(record.config["StdinOnce"]) and not record.tty,
        )
    if detached:
        engine.state.tell(record, "detach")


async def _refuse_attach(call: Call, text: str) -> None:
    """Answer with plain text and close the connection, as an engine does for a hijack."""
    head = b"HTTP/1.1 404 Not Found\r\nContent-Type: " + RAW + b"\r\n\r\n"
    stream = await call.exchange.take_over(head)
    await stream.send_all(text.encode() + b"\r\n")
    await stream.send_eof()


async def _send_history(
    stream: trio.abc.SendStream, lines: list[LogLine], record: ContainerRecord, streams: set[int]
) -> None:
    for line in lines:
        if line.stream in streams:
            await stream.send_all(line.data if record.tty else frame(line.stream, line.data))


async def carry(
    stream: trio.abc.HalfCloseableStream,
    pipes: Pipes | None,
    output: trio.MemoryReceiveChannel[tuple[int, bytes]],
    streams: set[int],
    *,
    tty: bool,
    end_input: bool,
) -> bool:
    """Copy data between a client and a process, until the process or the client ends.

    Args:
        stream: the client's raw connection.
        pipes: the destination of the client's input; ``None`` to drop it.
        output: the output of the process.
        streams: the output streams that the client wants.
        tty: the streams are a terminal: no frames, and the detach keys have an effect.
        end_input: whether the end of the client's input ends the input of the process.

    Returns:
        Whether the client typed the detach keys.
    """
    detached = False
    async with trio.open_nursery() as nursery:

        async def receive() -> None:
            nonlocal detached
            detached = await _carry_in(stream, pipes, tty=tty, end_input=end_input)
            if detached:
                nursery.cancel_scope.cancel()

        nursery.start_soon(receive)
        try:
            async for number, data in output:
                if number in streams:
                    await stream.send_all(data if tty else frame(number, data))
            await stream.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        nursery.cancel_scope.cancel()
    return detached


async def _carry_in(
    stream: trio.abc.ReceiveStream, pipes: Pipes | None, *, tty: bool, end_input: bool
) -> bool:
    last = b""
    try:
        while data := bytes(await stream.receive_some()):
            if tty and _DETACH_KEYS in last + data:
                return True
            last = data[-1:]
            if pipes is not None:
                await pipes.feed(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    if pipes is not None and end_input:
        pipes.end_input()
    return False


ROUTES = routes(
    {
        "GET /containers/{name}/logs": _logs,
        "POST /containers/{name}/attach": _attach,
    }
)
