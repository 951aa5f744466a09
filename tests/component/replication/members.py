"""One of several managers, on a real socket, whose handlers report the requests that they got."""

import math
from dataclasses import dataclass

import trio

from swarmcore.addresses import parse_address
from swarmcore.gateway import Gateway
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.routing import Router
from swarmcore.http.server import Server
from swarmcore.protocols import Leader, Route
from swarmcore.replication.forwarder import Forwarder
from swarmcore.replication.role import Role
from swarmcore.testing.doubles import FakeCluster

HEAD = "{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@dataclass
class Mandate:
    term: int = 1
    until: float = math.inf


class Member:
    """A manager whose handlers answer with the request that they got."""

    def __init__(self, listener, wait_seconds):
        self.listener = listener
        self.address = f"127.0.0.1:{listener.socket.getsockname()[1]}"
        self.role = Role(self.address)
        self.seen, self.asked = [], trio.Event()
        self.answer = self._tell
        #: Set by a test that wants the handler of ``/x`` to wait.
        self.go = trio.Event()
        self.go.set()
        self.forwarder = Forwarder(
            self.role,
            lambda address: HTTPClient(Dialer(parse_address(address)), address, "primary manager"),
            lambda: FakeCluster.api_version,
            wait_seconds=wait_seconds,
        )
        routes = [
            Route("GET", "/info", self._handle, local=True),
            Route("GET", "/x", self._handle),
            Route("POST", "/x", self._handle),
            Route("POST", "/hijack", self._hijack),
        ]
        gateway = Gateway(
            Router(routes), FakeCluster(), lambda request: None, forward=self.forwarder.forward
        )
        self.server = Server(gateway.handle)

    async def _handle(self, exchange):
        body = await exchange.read_body()
        self.seen.append(body)
        self.asked.set()
        await self.go.wait()
        await self.answer(exchange)

    async def _tell(self, exchange):
        term = exchange.request.header("x-swarmcore-term")
        await exchange.send_json({"by": self.address, "term": term})

    async def _hijack(self, exchange):
        client = await exchange._exchange.take_over(
            b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        said = b""
        while data := await client.receive_some():
            said += data
        await client.send_all(b"you said " + said)

    def lead(self, *others, term=1, until=math.inf):
        """Elect this manager, and tell the others."""
        self.role.elected(Mandate(term, until))
        for member in (self, *others):
            member.role.leader(Leader(self.address, term))

    async def ask(self, line, *, headers="", body=b""):
        """Return status, headers and JSON of the answer."""
        if body:
            headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        host, _, port = self.address.partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all((HEAD.format(line) + headers + "\r\n").encode() + body)
            said = b""
            while data := await stream.receive_some():
                said += data
        head, _, content = said.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), dict(each.split(": ", 1) for each in lines), content


async def wait_for(state):
    with trio.fail_after(60):
        while not state():  # noqa: ASYNC110  (nobody tells)
            await trio.sleep(0.01)


async def until_ready(member):
    while not member.role.answers:
        await member.role.changed()
