"""TLS with half-close, and the TLS contexts of server and client.

trio's TLS stream cannot close one direction and keep reading the other.  ``docker attach`` over TLS
needs that: close_notify marks the end of standard input while output still follows.
"""

import contextlib
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

import trio

from swarmcore.errors import ConfigError
from swarmcore.http.plain_sockets import PlainSocket
from swarmcore.model import TLSFiles

_T = TypeVar("_T")

_RECEIVE_BYTES = 64 * 1024
#: Maximum size of data given to OpenSSL at once, which limits the memory for its ciphertext.
_SLICE = 256 * 1024
_CLOSE_SECONDS = 1.0
_CONFLICT = "another task is already using this direction of the TLS stream"


class TLSStream(trio.abc.HalfCloseableStream):
    """TLS over any trio stream; one task may send while another receives.

    Args:
        transport: the connected stream; owned by this stream from now on.
        context: the TLS context.
        server_hostname: for a client, the server's name; verified if the context says so.
        server_side: whether this is the server.
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
        self._sending = _Turn()
        self._receiving = _Turn()
        self._flushing = trio.Lock()  # ciphertext must be sent in the order of its creation
        self._early = bytearray()  # decrypted and not yet received
        self._shut = False
        self._torn = False  # ciphertext was sent partially, so nothing more can be sent

    async def do_handshake(self) -> None:
        """Perform the handshake; required before sending or receiving.

        Raises:
            ssl.SSLError: the peer is not accepted, or does not accept us.
            trio.BrokenResourceError: the connection broke.
        """
        await self._until_done(self._ssl.do_handshake)
        await self._flush()

    @property
    def peer_name(self) -> str:
        """The name in the peer's certificate: its common name, else its first alternative name.

        Empty without a certificate, and before the handshake.
        """
        try:
            certificate: Mapping[str, Any] = self._ssl.getpeercert() or {}
        except ValueError:
            return ""
        for part in certificate.get("subject", ()):
            for key, value in part:
                if key == "commonName":
                    return str(value)
        names = certificate.get("subjectAltName", ())
        return str(names[0][1]) if names else ""

    # ---- sending

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; returns when the underlying connection has accepted the data."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            view = memoryview(data).cast("B")
            start = 0
            while start < len(view):
                if self._shut:
                    raise trio.ClosedResourceError("the sending side is closed")
                write = partial(self._ssl.write, view[start : start + _SLICE])
                with _broken_for_tls_errors():
                    start += await self._until_done(write)
                await self._flush()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the underlying connection accepts more data."""
        with self._sending:
            await self.transport_stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Close the sending direction (close_notify); receiving goes on."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._say_close()
            await self._flush()

    def _say_close(self) -> None:
        begun, self._shut = self._shut, True
        if begun or self._ssl.version() is None:
            return  # already closed, or there was no handshake
        # After its own close_notify, OpenSSL drops data that has not been read, with an error.
        with contextlib.suppress(ssl.SSLError):
            while data := self._ssl.read(_RECEIVE_BYTES):
                self._early += data
        # OpenSSL waits for the peer's close_notify, which may come much later.
        with contextlib.suppress(ssl.SSLError):
            self._ssl.unwrap()

    # ---- receiving

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive; empty after the peer's close_notify, after which it may still read.

        Raises:
            trio.BrokenResourceError: the connection ended without a close_notify.
        """
        size = _RECEIVE_BYTES if max_bytes is None else max_bytes
        if size < 1:
            raise ValueError("max_bytes must be at least 1")
        with self._receiving, _broken_for_tls_errors():
            await trio.lowlevel.checkpoint()
            try:
                return await self._until_done(partial(self._read, size))
            except ssl.SSLZeroReturnError:
                return b""

    def _read(self, size: int) -> bytes:
        if not self._early:
            return self._ssl.read(size)
        data = bytes(self._early[:size])
        del self._early[:size]
        return data

    # ---- closing

    async def aclose(self) -> None:
        """Close; sends close_notify before, if that is possible without waiting."""
        try:
            if not self._flushing.locked():
                with trio.move_on_after(_CLOSE_SECONDS):
                    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                        self._say_close()
                        await self._flush()
        finally:
            await self.transport_stream.aclose()

    # ---- between OpenSSL and the connection

    async def _until_done(self, step: Callable[[], _T]) -> _T:
        """Repeat *step*, passing ciphertext to OpenSSL, until it is complete."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                await self._flush_answers()
                await self._fill()
            except ssl.SSLError:
                with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self._flush_answers()  # sends the alert with the reason to the peer
                raise

    async def _flush(self) -> None:
        async with self._flushing:
            await self._send_outgoing()

    async def _flush_answers(self) -> None:
        """Send what OpenSSL wants to send in response to received data.

        Never waits for a sending task: the peer may only read its data after we have received.
        The sending task sends the response as well.
        """
        if self._outgoing.pending and not self._flushing.locked():
            await self._flush()

    async def _send_outgoing(self) -> None:
        while ciphertext := self._outgoing.read():
            if self._torn:
                raise trio.BrokenResourceError("an earlier send did not finish")
            self._torn = True
            await self.transport_stream.send_all(ciphertext)
            self._torn = False

    async def _fill(self) -> None:
        ciphertext = await self.transport_stream.receive_some(_RECEIVE_BYTES)
        if ciphertext:
            self._incoming.write(ciphertext)
        elif self._incoming.eof:
            raise trio.BrokenResourceError("the connection ended within TLS")
        else:
            self._incoming.write_eof()


class _Turn:
    """Raises an error, instead of queueing, if two tasks use the same direction."""

    def __init__(self) -> None:
        self._taken = False

    def __enter__(self) -> None:
        if self._taken:
            raise trio.BusyResourceError(_CONFLICT)
        self._taken = True

    def __exit__(self, *_: object) -> None:
        self._taken = False


@contextlib.contextmanager
def _broken_for_tls_errors() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise trio.BrokenResourceError(explain(error)) from error


def explain(error: ssl.SSLError) -> str:
    """The error in a few words, without OpenSSL's line numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if error.reason == "WRONG_VERSION_NUMBER":
        return "the other side does not speak TLS"
    if isinstance(error, ssl.SSLEOFError) or error.reason == "UNEXPECTED_EOF_WHILE_READING":
        return "the connection ended within TLS"
    version, alert, told = str(error.reason or error).partition("_ALERT_")
    words = (told or version).lower().replace("_", " ")
    if not alert:
        return words
    refused = "our certificate" if "CERTIFICATE" in told or told == "UNKNOWN_CA" else "us"
    return f"the other side refuses {refused}: {words}"


class TLSListener(trio.abc.Listener[TLSStream]):
    """Accepts connections; the task that serves a connection performs its handshake.

    Args:
        listener: accepts plain connections.
        context: the server's TLS context.
    """

    def __init__(
        self,
        listener: trio.abc.Listener[trio.SocketStream],
        context: "ssl.SSLContext | RenewableContext",
    ) -> None:
        self.plain = listener
        self._context = context

    async def accept(self) -> TLSStream:
        """Wait for a connection."""
        transport = PlainSocket(await self.plain.accept())
        return TLSStream(transport, current_context(self._context), server_side=True)

    async def aclose(self) -> None:
        """Stop accepting connections."""
        await self.plain.aclose()


class RenewableContext:
    """A TLS context that can be made again from its files.

    Open connections keep the former one.

    Args:
        make: reads the files and returns a context, or raises ``ConfigError``.

    Raises:
        ConfigError: a file is missing, or cannot be read or used.
    """

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        self.make = make
        #: The context for new connections.
        self.current = make()


def current_context(context: ssl.SSLContext | RenewableContext) -> ssl.SSLContext:
    """The context for a connection that is made now."""
    return context.current if isinstance(context, RenewableContext) else context


def client_context(files: TLSFiles) -> ssl.SSLContext:
    """The TLS context for connections to engines, as in Swarm classic.

    Args:
        files: with ``verify``, engines are verified by the CA, or by the system's CAs if none is
            given; without it, engines are not verified.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = files.verify
    context.verify_mode = ssl.CERT_REQUIRED if files.verify else ssl.CERT_NONE
    if files.verify and not files.ca:
        context.load_default_certs()
    return _prepare(context, files)


def server_context(files: TLSFiles) -> ssl.SSLContext:
    """The TLS context for clients; with ``verify`` they must have a certificate of the CA.

    Raises:
        ConfigError: a file is missing, or cannot be read or used.
    """
    if not (files.cert and files.key):
        raise ConfigError("serving TLS needs a certificate and its key: --tlscert and --tlskey")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if files.verify:
        if not files.ca:
            raise ConfigError("verifying clients needs the CA that signed them: --tlscacert")
        context.verify_mode = ssl.CERT_REQUIRED
    return _prepare(context, files)


def _prepare(context: ssl.SSLContext, files: TLSFiles) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Debian 12's Python takes a connection that is cut off for one that has ended, unless told.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    # HTTP/2 is not supported, so h2 is not offered.
    context.set_alpn_protocols(["http/1.1"])
    if files.cert or files.key:
        try:
            context.load_cert_chain(files.cert, files.key or None, password=_no_password)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"Couldn't load X509 key pair ({files.cert}, {files.key}): {_words(error)}. "
                "Key encrypted?"
            ) from None
    if files.ca:
        try:
            context.load_verify_locations(files.ca)
        except (OSError, ValueError) as error:
            raise ConfigError(f"Couldn't read CA certificate {files.ca}: {_words(error)}") from None
    return context


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return explain(error)
    return str(getattr(error, "strerror", None) or error).lower()


def _no_password() -> Literal[""]:
    """Prevent OpenSSL from asking for the password of an encrypted key on the terminal."""
    return ""
