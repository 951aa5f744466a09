"""TLS with half-close: trio's own TLS stream cannot end one direction and read on in the other.

``docker attach`` over TLS needs that: close_notify is the end of standard input, and the output
still comes.  A small stream over ``ssl.MemoryBIO``; contexts for both sides.
"""

import contextlib
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

import trio

from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles

_T = TypeVar("_T")

_RECORD = 32 * 1024
#: Offered to OpenSSL at once, so that one big send does not hold its ciphertext twice in memory.
_SLICE = 256 * 1024
_CLOSE_SECONDS = 1.0
_CONFLICT = "another task is already using this direction of the TLS stream"


class TLSStream(trio.abc.HalfCloseableStream):
    """TLS over any trio stream; one task may send while another receives.

    Args:
        transport: connected; owned from now on.
        context: the rules.
        server_hostname: whom a client expects; verified where the context verifies.
        server_side: which side this is.
    """

    def __init__(
        self,
        transport: trio.abc.Stream,
        context: ssl.SSLContext,
        *,
        server_hostname: str | None = None,
        server_side: bool = False,
    ) -> None:
        self.transport_stream = transport
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self._sending = trio.Lock()  # ciphertext leaves in the order in which it was made
        self._receiving = trio.Lock()
        self._shut = False

    async def do_handshake(self) -> None:
        """Agree on keys.

        Raises:
            ssl.SSLError: the peer is not acceptable, or does not accept us.
            trio.BrokenResourceError: the connection broke.
        """
        await self._until_done(self._ssl.do_handshake)

    @property
    def peer_name(self) -> str:
        """Whom the peer's certificate names: its common name, else its first alternative name."""
        certificate: Mapping[str, Any] = self._ssl.getpeercert() or {}
        for part in certificate.get("subject", ()):
            for key, value in part:
                if key == "commonName":
                    return str(value)
        names = certificate.get("subjectAltName", ())
        return str(names[0][1]) if names else ""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._shut:
            raise trio.ClosedResourceError("the sending side is closed")
        await trio.lowlevel.checkpoint()
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _SLICE):
            await self._until_done(partial(self._ssl.write, view[start : start + _SLICE]))

    async def wait_send_all_might_not_block(self) -> None:
        async with self._sending:
            pass

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        if self._receiving.locked():
            raise trio.BusyResourceError(_CONFLICT)
        async with self._receiving:
            try:
                return await self._until_done(lambda: self._ssl.read(max_bytes or _RECORD))
            except ssl.SSLZeroReturnError:
                return b""  # the peer's close_notify: it sends no more, and may still read

    async def send_eof(self) -> None:
        """Say that no more will be sent (close_notify), and go on receiving."""
        if not self._shut:
            self._shut = True
            # It wants the peer's close_notify in return, which may come much later.
            with contextlib.suppress(ssl.SSLError):
                self._ssl.unwrap()
            await self._flush()

    async def aclose(self) -> None:
        with trio.move_on_after(_CLOSE_SECONDS):
            with contextlib.suppress(
                trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError
            ):
                await self.send_eof()
        await self.transport_stream.aclose()

    async def _until_done(self, step: Callable[[], _T]) -> _T:
        """Repeat *step*, feeding it ciphertext and carrying its own away, until it is done."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
                continue
            except ssl.SSLZeroReturnError:
                raise
            except ssl.SSLError:
                await self._flush()  # the alert tells the peer why
                raise
            await self._flush()
            return result

    async def _flush(self) -> None:
        async with self._sending:
            if ciphertext := self._outgoing.read():
                await self.transport_stream.send_all(ciphertext)

    async def _fill(self) -> None:
        ciphertext = await self.transport_stream.receive_some(_RECORD)
        if ciphertext:
            self._incoming.write(ciphertext)
        elif self._incoming.eof:
            raise trio.BrokenResourceError("the connection ended within TLS")
        else:
            self._incoming.write_eof()


class TLSListener(trio.abc.Listener[TLSStream]):
    """Accepts connections whose handshake is still to be done, by whoever serves them.

    Args:
        listener: accepts plain connections.
        context: the server's rules.
    """

    def __init__(
        self, listener: trio.abc.Listener[trio.SocketStream], context: ssl.SSLContext
    ) -> None:
        self._listener = listener
        self._context = context

    async def accept(self) -> TLSStream:
        return TLSStream(await self._listener.accept(), self._context, server_side=True)

    async def aclose(self) -> None:
        await self._listener.aclose()


def client_context(files: TLSFiles) -> ssl.SSLContext:
    """The rules for connections to engines, as classic has them.

    Args:
        files: with ``verify`` the CA is the only root; without, engines are not verified.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = files.verify
    context.verify_mode = ssl.CERT_REQUIRED if files.verify else ssl.CERT_NONE
    return _prepare(context, files)


def server_context(files: TLSFiles) -> ssl.SSLContext:
    """The rules for clients: with ``verify`` they must present a certificate of the CA's.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if files.verify:
        context.verify_mode = ssl.CERT_REQUIRED
    # No h2: nothing here speaks it.
    context.set_alpn_protocols(["http/1.1"])
    return _prepare(context, files)


def _prepare(context: ssl.SSLContext, files: TLSFiles) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert or files.key:
        try:
            context.load_cert_chain(files.cert, files.key or None, password=_no_password)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"Couldn't load X509 key pair ({files.cert}, {files.key}): {error}. Key encrypted?"
            ) from None
    if files.ca:
        try:
            context.load_verify_locations(files.ca)
        except (OSError, ValueError) as error:
            raise ConfigError(f"Couldn't read CA certificate {files.ca}: {error}") from None
    return context


def _no_password() -> Literal[""]:
    """An encrypted key must not make OpenSSL ask on the terminal."""
    return ""
