"""A client of raw bytes, and a handler that echoes its request."""

import json

import trio

from swarmcore.http.messages import Answer

HOST = b"Host: manager\r\n"


class Peer:
    """A client of raw bytes."""

    def __init__(self, stream):
        self.stream = stream
        self.seen = b""

    async def say(self, *pieces):
        for piece in pieces:
            await self.stream.send_all(piece)

    async def ask(self, line, *headers, body=b""):
        lines = b"".join(header + b"\r\n" for header in headers)
        await self.say(line + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body)

    async def goes_on(self, data, times):
        """Send *data* every second; return how often before the server closed the connection."""
        for count in range(times):
            try:
                await self.say(data)
            except trio.BrokenResourceError:
                return count
            await trio.sleep(1)
        return times

    async def until(self, end):
        """Receive up to and including *end*."""
        while end not in self.seen:
            data = await self.stream.receive_some()
            assert data, f"the server closed after {self.seen!r}"
            self.seen += data
        text, self.seen = self.seen[: self.seen.index(end) + len(end)], self.seen.split(end, 1)[1]
        return text

    async def rest(self):
        """Receive until the server's end."""
        while data := await self.stream.receive_some():
            self.seen += data
        return self.seen


async def echo(exchange):
    """Answer with the request."""
    body = await exchange.read_body()
    text = f"{exchange.request.method} {exchange.request.path} {body.decode()}\n"
    await exchange.send(Answer(200, (), text.encode()))


def message(answer):
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])["message"]
