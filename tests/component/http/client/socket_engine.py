"""An engine that answers from scripts on a real socket, and a client of it."""

import re
from contextlib import asynccontextmanager
from functools import partial

import trio

from swarmcore.addresses import Address
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.tls import TLSStream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_AND_CLOSE = OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def is_whole(request):
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) == int(length[1] if length else 0)


class ScriptedEngine:
    """Answers each request with the next script, and repeats the last one.

    A script is the bytes to send, or an async function of the stream.  The connection is closed
    after a script that returns ``False``.
    """

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.seen = []
        self.connections = 0
        self.open = 0
        self.most = 0

    async def serve(self, stream):
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            async with stream:
                if isinstance(stream, TLSStream):
                    await stream.do_handshake()
                while await self._serve_one(stream):
                    pass
        except trio.BrokenResourceError:
            pass
        finally:
            self.open -= 1

    async def _serve_one(self, stream):
        seen = b""
        while not is_whole(seen):
            data = await stream.receive_some()
            if not data:
                return False
            seen += data
        self.seen.append(seen)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if isinstance(script, bytes):
            await stream.send_all(script)
            return True
        return await script(stream) is not False


async def hang_up(stream):
    return False


async def answer_and_close(stream):
    await stream.send_all(OK)
    return False


async def wait_for_the_client(stream):
    while await stream.receive_some():
        pass
    return False


async def endless(stream):
    await stream.send_all(CHUNKED + chunk(b"1\n") + chunk(b"2\n"))
    return await wait_for_the_client(stream)


@asynccontextmanager
async def asking(engine):
    """Run a client of *engine* during the block."""
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, engine.serve, 0, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        client = HTTPClient(Dialer(Address("tcp", "127.0.0.1", port)))
        yield client
        await client.aclose()
        nursery.cancel_scope.cancel()
