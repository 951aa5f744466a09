"""The way to one engine: a connected stream over TCP, TLS, a unix socket, or ssh.

Knows how to connect and nothing of what is said then.
"""

import os
import signal
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from swarmcore.addresses import Address
from swarmcore.errors import EngineUnreachable
from swarmcore.tls import TLSStream

_DIAL_SECONDS = 5.0
#: A login, a remote shell and the remote docker command.
_SSH_SECONDS = 15.0
_KEEPALIVE_SECONDS = 30
_CLEANUP_SECONDS = 2.0
#: Of what ssh says on standard error; the last part is what matters.
_STDERR_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens connections to one address.

    Attributes:
        address: where the engine listens.
        tls: how to secure TCP connections; ``None`` for plain ones.
    """

    address: Address
    tls: ssl.SSLContext | None = None

    async def dial(self) -> trio.abc.HalfCloseableStream:
        """Open a connection, within a deadline of its own.

        Raises:
            EngineUnreachable: it cannot be opened; nothing was sent.
        """
        seconds = _SSH_SECONDS if self.address.scheme == "ssh" else _DIAL_SECONDS
        try:
            with trio.fail_after(seconds):
                return await self._connect()
        except trio.TooSlowError:
            raise self._unreachable(f"no connection within {seconds:g} s") from None
        except (OSError, ssl.SSLError, trio.BrokenResourceError) as error:
            raise self._unreachable(_reason(error)) from error

    async def _connect(self) -> trio.abc.HalfCloseableStream:
        match self.address.scheme:
            case "unix":
                return await trio.open_unix_socket(self.address.path)
            case "ssh":
                return await open_ssh(self.address)
            case "tcp":
                stream = await trio.open_tcp_stream(self.address.host, self.address.port)
                _keep_alive(stream)
                return stream if self.tls is None else await self._secure(stream, self.tls)

    async def _secure(self, stream: trio.SocketStream, context: ssl.SSLContext) -> TLSStream:
        secured = TLSStream(stream, context, server_hostname=self.address.host)
        try:
            await secured.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(secured)
            raise
        return secured

    def _unreachable(self, why: str) -> EngineUnreachable:
        url = f"tcp://{self.address}" if self.address.scheme == "tcp" else str(self.address)
        return EngineUnreachable(
            str(self.address),
            f"Cannot connect to the Docker daemon at {url}. Is the docker daemon running? ({why})",
        )


class SSHStream(trio.abc.HalfCloseableStream):
    """The standard streams of an ssh process, at whose far end the Docker API listens."""

    def __init__(self, process: trio.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin: trio.abc.SendStream = process.stdin
        self._stdout: trio.abc.ReceiveStream = process.stdout
        self._heard = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; an ssh that ended early tells why."""
        try:
            await self._stdin.send_all(data)
        except trio.BrokenResourceError as error:
            raise trio.BrokenResourceError(await self._last_words()) from error

    async def wait_send_all_might_not_block(self) -> None:
        await self._stdin.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive; an end before the first byte is a failure, told in ssh's own words."""
        data = await self._stdout.receive_some(max_bytes)
        if not data and not self._heard:
            raise trio.BrokenResourceError(await self._last_words())
        self._heard = True
        return data

    async def send_eof(self) -> None:
        await self._stdin.aclose()

    async def aclose(self) -> None:
        """Close both streams, and end and reap the process."""
        try:
            await self._stdin.aclose()
            await self._stdout.aclose()
            if self._process.stderr is not None:
                await self._process.stderr.aclose()
        finally:
            await _reap(self._process)

    async def _last_words(self) -> str:
        stderr = self._process.stderr
        words = b""
        if stderr is not None:
            with trio.move_on_after(_CLEANUP_SECONDS):
                while piece := await stderr.receive_some(_STDERR_BYTES):
                    words = (words + piece)[-_STDERR_BYTES:]
        return " ".join(words.decode("utf-8", "replace").split()) or "ssh ended without a word"


def ssh_command(address: Address) -> Sequence[str]:
    """The command that connects to *address*; ``docker`` on the other side does the rest.

    Nothing of the address can be read as an option: the parser refuses leading dashes, and ``--``
    ends ssh's own options.
    """
    command = ["ssh", "-o", "BatchMode=yes", "-T"]
    if address.port != 22:
        command += ["-p", str(address.port)]
    if address.user:
        command += ["-l", address.user]
    remote = ["docker", "system", "dial-stdio"]
    if address.path.strip("/"):
        remote[1:1] = ["-H", f"unix://{address.path}"]
    return [*command, "--", address.host, *remote]


async def open_ssh(address: Address) -> SSHStream:
    """Start ssh; what comes of it shows with the first bytes.

    Raises:
        OSError: there is no ssh command.
    """
    process = await trio.lowlevel.open_process(
        ssh_command(address),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A Ctrl-C in the manager's terminal is the manager's to handle.
        start_new_session=True,
    )
    return SSHStream(process)


async def _reap(process: trio.Process) -> None:
    """End the process: gently, then not; it is reaped in any case."""
    with trio.CancelScope(shield=True):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.returncode is not None:
                return
            process.send_signal(number)
            with trio.move_on_after(_CLEANUP_SECONDS):
                await process.wait()


async def resolve(address: Address) -> str:
    """The first IP address of an engine's host; loopback for a unix socket.

    Raises:
        OSError: the name does not resolve.
    """
    if address.scheme == "unix":
        return "127.0.0.1"
    found = await trio.socket.getaddrinfo(address.host, address.port, type=trio.socket.SOCK_STREAM)
    return str(found[0][4][0])


def _keep_alive(stream: trio.SocketStream) -> None:
    """Have the kernel find out about engines that vanished: streams may be silent for hours."""
    stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if hasattr(trio.socket, option):
            number = getattr(trio.socket, option)
            stream.setsockopt(trio.socket.IPPROTO_TCP, number, _KEEPALIVE_SECONDS)


def _reason(error: BaseException) -> str:
    """The innermost reason in a few words: trio groups the attempts on several addresses."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError | ExceptionGroup) else error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, ssl.SSLError):
        return os.strerror(cause.errno).lower() if cause.errno > 0 else str(cause.strerror)
    return str(cause) or type(cause).__name__
