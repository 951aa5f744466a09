"""A client of embedded engines: plain requests with httpx, and hijacked connections."""

import json
from contextlib import asynccontextmanager

import h11
import trio


class DockerClient:
    """Sends requests to one engine."""

    def __init__(self, engine, http):
        self.engine = engine
        self.http = http

    async def __call__(self, method, path, body=None, **options):
        """Send one request with a JSON body, if there is a body; return the answer."""
        if body is not None:
            options["json"] = body
        return await self.http.request(method, path, **options)

    async def json(self, method, path, body=None, **options):
        """Send one request that must succeed, and return its JSON."""
        answer = await self(method, path, body, **options)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    async def create(self, name="", *command, image="busybox", **body):
        """Create a container; return its id."""
        asked = {"Image": image, "Cmd": list(command) or ["sleep", "1000"], **body}
        made = await self.json("POST", "/containers/create", asked, params={"name": name})
        return made["Id"]

    async def run(self, name="", *command, **body):
        """Create and start a container; return its id."""
        id = await self.create(name, *command, **body)
        await self.json("POST", f"/containers/{id}/start")
        return id

    async def wait(self, name):
        """Wait for a container's end; return its exit code."""
        return (await self.json("POST", f"/containers/{name}/wait"))["StatusCode"]

    async def state(self, name):
        return (await self.json("GET", f"/containers/{name}/json"))["State"]

    @asynccontextmanager
    async def stream(self, path, method="GET"):
        """Yield an answer while it arrives, with h11: httpx's iterators cannot be left early."""
        async with self._connect() as stream:
            http = h11.Connection(h11.CLIENT)
            request = h11.Request(method=method, target=path, headers=[("Host", "docker")])
            await stream.send_all(http.send(request) + http.send(h11.EndOfMessage()))
            answer = _Answer(http, stream)
            answer.head = await answer.next_event()
            yield answer

    @asynccontextmanager
    async def lines(self, path):
        """Yield a function that returns the next object of a stream of JSON lines."""
        async with self.stream(path) as answer:
            assert answer.head.status_code == 200

            async def next_line():
                return json.loads(await answer.line())

            yield next_line

    def _connect(self):
        host, port = self.engine.address.split(":")
        return _connected(host, int(port))

    @asynccontextmanager
    async def hijack(self, path, body=None, *, upgrade=True):
        """Open a raw stream; return the answer's head and the stream."""
        async with self._connect() as stream:
            content = b"" if body is None else json.dumps(body).encode()
            lines = [f"POST {path} HTTP/1.1", "Host: docker", f"Content-Length: {len(content)}"]
            lines += ["Content-Type: application/json"] if content else []
            lines += ["Connection: Upgrade", "Upgrade: tcp"] if upgrade else []
            await stream.send_all("\r\n".join([*lines, "", ""]).encode() + content)
            head = b""
            while b"\r\n\r\n" not in head:
                data = await stream.receive_some()
                assert data, head
                head += data
            head, _, rest = head.partition(b"\r\n\r\n")
            yield head.decode(), _Buffered(stream, rest)


@asynccontextmanager
async def _connected(host, port):
    async with await trio.open_tcp_stream(host, port) as stream:
        yield stream


class _Answer:
    """An answer that is being received."""

    def __init__(self, http, stream):
        self._http, self._stream = http, stream
        self._buffer = b""

    async def next_event(self):
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(bytes(await self._stream.receive_some()))
        return event

    async def data(self):
        """Return the next piece of the body; ``b""`` at its end."""
        event = await self.next_event()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    async def line(self):
        """Return the next line without its end."""
        while b"\n" not in self._buffer:
            data = await self.data()
            assert data, f"the answer ended after {self._buffer}"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    async def rest(self):
        """The whole body that is left."""
        found, self._buffer = self._buffer, b""
        while data := await self.data():
            found += data
        return found


class _Buffered:
    """A hijacked stream with helpers for tests."""

    def __init__(self, stream, rest):
        self._stream, self._rest = stream, rest
        self.send = stream.send_all
        self.send_eof = stream.send_eof

    async def read(self, size):
        """Return exactly *size* bytes, or fewer at the end."""
        while len(self._rest) < size:
            data = await self._stream.receive_some()
            if not data:
                break
            self._rest += data
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    async def frame(self):
        """Return one frame as stream and data; ``None`` at the end."""
        head = await self.read(8)
        return (head[0], await self.read(int.from_bytes(head[4:], "big"))) if head else None

    async def rest(self):
        """Everything up to the end."""
        return await self.read(1 << 30)
