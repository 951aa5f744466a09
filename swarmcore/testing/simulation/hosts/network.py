"""A network in memory: hosts, links between them, and connections that faults can delay or break.

A link that is cut keeps what was sent and delivers it when it is mended, as TCP sends it again;
connecting over it takes until then.  Nothing here reads a clock or a socket of the machine.
"""

import errno
import os
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from random import Random

import trio

from swarmcore.http.plain_sockets import PromptStream
from swarmcore.testing.embedded.connections import EngineListener

#: Seconds that a message takes over a good link; chosen anew for each.
_QUICK_SECONDS = (0.0002, 0.004)

#: The host on which the current task runs; tasks inherit it.
current_host: ContextVar["Host | None"] = ContextVar("current_host", default=None)


class Link:
    """The way between two hosts.

    Attributes:
        is_cut: whether nothing passes.
        slow_seconds: the longest time that a message takes in addition.
    """

    def __init__(self, random: Random) -> None:
        self.is_cut = False
        self.slow_seconds = 0.0
        self._random = random
        self._mended = trio.Event()
        self._pipes: set[Pipe] = set()

    def delay(self) -> float:
        """Seconds that the next message takes."""
        return self._random.uniform(*_QUICK_SECONDS) + self._random.random() * self.slow_seconds

    def cut(self) -> None:
        """Let nothing pass."""
        self.is_cut = True

    def mend(self) -> None:
        """Let everything pass again, also what was sent meanwhile."""
        self.is_cut = False
        self._mended.set()
        self._mended = trio.Event()

    async def pass_over(self) -> None:
        """Wait as long as one message takes."""
        await trio.sleep(self.delay())
        while self.is_cut:
            await self._mended.wait()
            await trio.sleep(self.delay())

    @property
    def mended(self) -> trio.Event:
        """Set at the end of the current cut."""
        return self._mended


class Host:
    """A machine, or a process with an address of its own.

    Attributes:
        name: its name in the history.
        ip: its address.
        is_up: whether its process runs; a process that has ended sends nothing more.
        clock_offset: nanoseconds by which its wall clock is wrong.
        sent: called with the first bytes of each message to another host, before it is sent.
    """

    def __init__(self, name: str, ip: str, network: "Network") -> None:
        self.name = name
        self.ip = ip
        self.network = network
        self.is_up = True
        self.clock_offset = 0
        self.sent: Callable[[Host, bytes], None] = lambda host, data: None
        self._streams: dict[int, MemoryStream] = {}

    def __repr__(self) -> str:
        return f"<Host {self.name}>"

    async def connect(self, host: str, port: int) -> trio.abc.HalfCloseableStream:
        """Open a connection to another host.

        Raises:
            ConnectionRefusedError: nothing listens there.
        """
        return await self.network.connect(self, host, port)

    async def listen(self, host: str, port: int) -> "MemoryListener":
        """Listen on a port of this host."""
        return self.network.listen(self, port or 2375)

    def hold(self, stream: "MemoryStream") -> None:
        """Remember an open connection."""
        self._streams[stream.number] = stream

    def release(self, stream: "MemoryStream") -> None:
        """Forget a connection that was closed."""
        self._streams.pop(stream.number, None)

    @property
    def connection_count(self) -> int:
        """The number of open connections."""
        return len(self._streams)

    def break_connections(self) -> None:
        """Break every connection, as the end of a process does."""
        for stream in list(self._streams.values()):
            stream.reset()


class Pipe:
    """One direction of a connection."""

    def __init__(self, link: Link) -> None:
        self._was_broken = False
        self._link = link
        self._arriving: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._news = trio.Event()

    def put(self, data: bytes) -> None:
        """Send; ``b""`` is the end."""
        self._last = max(self._last, trio.current_time() + self._link.delay())
        self._arriving.append((self._last, data))
        self._tell()

    def break_off(self) -> None:
        """Break the connection: what is under way is lost."""
        self._was_broken = True
        self._tell()

    @property
    def is_broken(self) -> bool:
        """Whether it is known to be broken: over a link that is cut, nobody hears of that."""
        return self._was_broken and not self._link.is_cut

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    @property
    def has_arrived(self) -> bool:
        """Whether data, or the end, can be received now."""
        if self._link.is_cut or not self._arriving:
            return False
        return self._arriving[0][0] <= trio.current_time()

    def take(self, size: int) -> bytes:
        """What has arrived; ``has_arrived`` must be true."""
        moment, data = self._arriving[0]
        if len(data) > size:
            self._arriving[0] = moment, data[size:]
        elif data:  # the end stays
            self._arriving.popleft()
        return data[:size]

    async def wait_arrival(self) -> None:
        """Wait until something may have changed."""
        if self._link.is_cut:
            news = self._news
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_first, self._link.mended, nursery.cancel_scope)
                nursery.start_soon(_first, news, nursery.cancel_scope)
        elif self._arriving:
            with trio.move_on_at(self._arriving[0][0]):
                await self._news.wait()
        else:
            await self._news.wait()


async def _first(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


class MemoryStream(PromptStream):
    """One end of a connection.

    Args:
        number: distinguishes the ends of all connections.
        owner: its host.
        peer: the host of the other end.
        incoming, outgoing: the two directions.
    """

    def __init__(
        self, number: int, owner: Host, peer: Host, incoming: Pipe, outgoing: Pipe
    ) -> None:
        self.number = number
        self._owner = owner
        self._peer = peer
        self._incoming = incoming
        self._outgoing = outgoing
        self._is_closed = False
        owner.hold(self)

    @property
    def is_readable(self) -> bool:
        """See ``PromptStream``."""
        return self._incoming.is_broken or self._incoming.has_arrived

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive what has arrived."""
        await trio.lowlevel.checkpoint()
        while True:
            if self._is_closed:
                raise trio.ClosedResourceError("this end was closed")
            if self._incoming.is_broken:
                raise trio.BrokenResourceError("the connection is broken")
            if self._incoming.has_arrived:
                return self._incoming.take(max_bytes or 1 << 16)
            await self._incoming.wait_arrival()

    def receive_now(self, max_bytes: int) -> bytes | None:
        """See ``PromptStream``."""
        if self._is_closed or self._incoming.is_broken:
            return b""
        return self._incoming.take(max_bytes) if self._incoming.has_arrived else None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; nothing waits, as there is room for everything."""
        self._check()
        self._send(bytes(data))

    def send_now(self, data: bytes | memoryview) -> int:
        """See ``PromptStream``."""
        if self._is_closed or self._outgoing.is_broken:
            return 0
        self._send(bytes(data))
        return len(data)

    def _send(self, data: bytes) -> None:
        if data and self._owner.is_up:
            self._owner.sent(self._peer, data)
            self._outgoing.put(data)

    def _check(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError("this end was closed")
        if self._outgoing.is_broken:
            raise trio.BrokenResourceError("the connection is broken")

    async def wait_send_all_might_not_block(self) -> None:
        """Return at once."""
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        """End the sending direction."""
        self._check()
        self._outgoing.put(b"")
        await trio.lowlevel.checkpoint()

    def close_now(self) -> None:
        """See ``PromptStream``."""
        if not self._is_closed:
            self._is_closed = True
            self._owner.release(self)
            if self._owner.is_up:
                self._outgoing.put(b"")
            self._incoming.break_off()

    def reset(self) -> None:
        """Break both directions."""
        self._owner.release(self)
        self._incoming.break_off()
        self._outgoing.break_off()

    async def aclose(self) -> None:
        """Close both directions."""
        self.close_now()
        await trio.lowlevel.checkpoint()


class MemoryListener(EngineListener):
    """Accepts connections to one port of a host."""

    def __init__(self, host: Host, port: int) -> None:
        self._host = host
        self._port = port
        self._send, self._receive = trio.open_memory_channel[MemoryStream](1024)

    @property
    def port(self) -> int:
        """See ``EngineListener``."""
        return self._port

    def offer(self, stream: MemoryStream) -> None:
        """Let a connection be accepted."""
        self._send.send_nowait(stream)

    async def accept(self) -> MemoryStream:
        """Wait for the next connection and return it."""
        return await self._receive.receive()

    def drop_all(self) -> None:
        """See ``EngineListener``."""
        self._host.break_connections()

    async def aclose(self) -> None:
        """Stop listening."""
        self._host.network.stop_listening(self._host, self._port)
        self._receive.close()
        await trio.lowlevel.checkpoint()


class Network:
    """All hosts and links.

    Args:
        random: chooses how long messages take.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._hosts: dict[str, Host] = {}
        self._links: dict[frozenset[str], Link] = {}
        self._listeners: dict[tuple[str, int], MemoryListener] = {}
        self._count = 0

    def host(self, name: str, ip: str) -> Host:
        """Add a host; one with the same address takes the place of an earlier one."""
        self._hosts[ip] = host = Host(name, ip, self)
        return host

    @property
    def connection_count(self) -> int:
        """The number of open connections."""
        return sum(host.connection_count for host in self._hosts.values()) // 2

    def link(self, one: str, other: str) -> Link:
        """The link between two hosts, given by their addresses."""
        key = frozenset((one, other))
        if key not in self._links:
            self._links[key] = Link(self._random)
        return self._links[key]

    def listen(self, host: Host, port: int) -> MemoryListener:
        """Listen on a port."""
        self._listeners[host.ip, port] = listener = MemoryListener(host, port)
        return listener

    def stop_listening(self, host: Host, port: int) -> None:
        """Refuse connections to a port from now on."""
        self._listeners.pop((host.ip, port), None)

    async def connect(self, source: Host, ip: str, port: int) -> MemoryStream:
        """Open a connection.

        Raises:
            ConnectionRefusedError: nothing listens there.
        """
        link = self.link(source.ip, ip)
        await link.pass_over()
        await link.pass_over()
        listener = self._listeners.get((ip, port))
        if listener is None or not source.is_up:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        there, back = Pipe(link), Pipe(link)
        target = self._hosts[ip]
        self._count += 2
        listener.offer(MemoryStream(self._count, target, source, there, back))
        return MemoryStream(self._count + 1, source, target, back, there)
