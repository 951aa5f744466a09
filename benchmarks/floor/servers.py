"""Minimal servers with trio: ``python -m benchmarks.floor.servers ENGINE_PORT BYTES``.

The process prints their ports as JSON, and ends with its standard input.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

_RECEIVE_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_PING = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nOstype: linux\r\nServer: floor\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK"
)
_Handler = Callable[[trio.SocketStream], Awaitable[None]]


async def answer(data: bytes, client: trio.SocketStream) -> None:
    """Answer every request with *data*: one receive, one send."""
    async with client:
        while await client.receive_some(_RECEIVE_BYTES):
            await client.send_all(data)


async def relay(port: int, client: trio.SocketStream) -> None:
    """Relay bytes to *port* and back, without parsing them."""
    async with (
        client,
        await trio.open_tcp_stream("127.0.0.1", port) as engine,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(_carry, client, engine, nursery.cancel_scope)
        nursery.start_soon(_carry, engine, client, nursery.cancel_scope)


async def _carry(
    source: trio.SocketStream, target: trio.SocketStream, scope: trio.CancelScope
) -> None:
    while data := await source.receive_some(_PIECE_BYTES):
        await target.send_all(data)
    scope.cancel()


async def _guarded(handler: _Handler, client: trio.SocketStream) -> None:
    """Run *handler*; a client may disconnect at any time."""
    try:
        await handler(client)
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        pass


async def _main(engine_port: int, count: int) -> None:
    many = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (count, bytes(count))
    handlers: dict[str, _Handler] = {
        "exchange": partial(answer, _PING),
        "bytes": partial(answer, many),
        "relay": partial(relay, engine_port),
    }
    async with trio.open_nursery() as nursery:
        ports = {}
        for kind, handler in handlers.items():
            serve = partial(trio.serve_tcp, partial(_guarded, handler), 0, host="127.0.0.1")
            [listener] = await nursery.start(serve)
            ports[kind] = listener.socket.getsockname()[1]
        print(json.dumps(ports), flush=True)
        await trio.lowlevel.wait_readable(0)  # readable only at its end
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(_main, int(sys.argv[1]), int(sys.argv[2]))
