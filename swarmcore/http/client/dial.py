"""Opens a connection to one engine, over TCP, TLS, a unix socket or ssh."""

import errno
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from swarmcore.addresses import Address
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client.lifeline import EngineStream, Lifeline
from swarmcore.http.client.ssh import open_ssh
from swarmcore.http.plain_sockets import PlainSocket
from swarmcore.http.streams import keep_alive, socket_of
from swarmcore.http.tls import RenewableContext, TLSStream, current_context, explain

_DIAL_SECONDS = 5.0
#: Time limit for starting ssh; the login is part of the time of the first answer.
_SSH_SECONDS = 15.0
#: An engine that accepts connections does so within this time.
_LONG_SECONDS = 1.0
#: Connection errors that are not a refusal by the other machine, such as a missing route.
_SILENCES = frozenset(
    {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN}
)


#: Opens a connection to a host and a port.
Connect = Callable[[str, int], Awaitable[trio.abc.HalfCloseableStream]]


async def connect_tcp(host: str, port: int) -> PlainSocket:
    """Open a TCP connection with keep-alive.

    Raises:
        OSError: it cannot be opened.
    """
    stream = await trio.open_tcp_stream(host, port)
    keep_alive(stream)
    return PlainSocket(stream)


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens connections to one address.

    Attributes:
        address: the engine's address.
        tls: the TLS context of TCP connections; ``None`` for plain ones.
        lifeline: monitors the connections; may be ``None``.
        connect: opens TCP connections; a simulation has its own network.
    """

    address: Address
    tls: ssl.SSLContext | RenewableContext | None = None
    lifeline: Lifeline | None = None
    connect: Connect = connect_tcp

    async def dial(self) -> trio.abc.HalfCloseableStream:
        """Open a connection, within a time limit of 5 s (15 s for ssh).

        Raises:
            EngineUnreachable: it cannot be opened; nothing was sent.
        """
        if self.lifeline is None:
            return await self._dial()
        began = trio.current_time()
        try:
            return self.lifeline.hold(await self._dial())
        except trio.Cancelled:
            # Cancelled after a longer time, the engine probably accepts no connections.
            if trio.current_time() - began > _LONG_SECONDS:
                self.lifeline.takes_connections = False
            raise
        except EngineUnreachable:
            self.lifeline.takes_connections = False
            raise

    async def _dial(self) -> trio.abc.HalfCloseableStream:
        seconds = _SSH_SECONDS if self.address.scheme == "ssh" else _DIAL_SECONDS
        try:
            with trio.fail_after(seconds):
                return await self._connect()
        except trio.TooSlowError:
            text = f"no connection within {seconds:g} s"
            raise self._unreachable(text, silent=True) from None
        except (OSError, UnicodeError, trio.BrokenResourceError) as error:
            cause = _innermost(error)
            silent = isinstance(cause, OSError) and cause.errno in _SILENCES
            raise self._unreachable(_reason(cause), silent=silent) from error

    async def _connect(self) -> trio.abc.HalfCloseableStream:
        match self.address.scheme:
            case "unix":
                return PlainSocket(await trio.open_unix_socket(self.address.path))
            case "ssh":
                return await open_ssh(self.address)
            case "tcp":
                plain = await self.connect(self.address.host, self.address.port)
                if self.tls is None:
                    return plain
                return await self._secure(plain, current_context(self.tls))

    async def _secure(
        self, stream: trio.abc.HalfCloseableStream, context: ssl.SSLContext
    ) -> TLSStream:
        try:
            secured = TLSStream(stream, context, server_hostname=self.address.host)
            await secured.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return secured

    def _unreachable(self, why: str, *, silent: bool = False) -> EngineUnreachable:
        url = f"tcp://{self.address}" if self.address.scheme == "tcp" else str(self.address)
        return EngineUnreachable(
            str(self.address),
            f"Cannot connect to the Docker daemon at {url}. Is the docker daemon running? ({why})",
            silent=silent,
        )


def is_readable(stream: trio.abc.AsyncResource) -> bool:
    """Whether data can be received; on an idle connection that means that it has ended.

    ``False`` if that is unknown, for streams that are neither a socket nor ssh.
    """
    inner = stream.transport_stream if isinstance(stream, EngineStream) else stream
    known: bool | None = getattr(inner, "is_readable", None)  # of plain sockets and of ssh
    if known is not None:
        return known
    socket = socket_of(stream)
    return socket is not None and socket.socket.is_readable()


def _innermost(error: BaseException) -> BaseException:
    """The first cause; trio groups the errors of attempts on several addresses."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError | ExceptionGroup) else error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause


def _reason(cause: BaseException) -> str:
    """*cause* in a few words."""
    if isinstance(cause, ssl.SSLError):
        return explain(cause)
    if isinstance(cause, OSError) and cause.errno:
        # Resolver errors have negative codes; trio's own text repeats the address.
        return (os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)).lower()
    return str(cause) or type(cause).__name__
