"""A connection through ``ssh``: the standard streams of a process connected to a Docker API.

``docker system dial-stdio`` runs on the remote machine, which only needs a login.  Keys, host keys
and jump hosts are configured by the user in ssh's own configuration.
"""

import select
import shlex
import signal
import subprocess
from collections.abc import Sequence

import trio

from swarmcore.addresses import Address

_SSH_PORT = 22
_CLEANUP_SECONDS = 2.0
#: How much of ssh's standard error is kept; its end has the cause.
_STDERR_BYTES = 4096


class SSHStream(trio.abc.HalfCloseableStream):
    """The standard streams of an ssh process.

    Args:
        process: started with three pipes; owned by the stream, and reaped by ``aclose``.
    """

    def __init__(self, process: trio.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._stderr = process.stderr
        self._heard = False
        self._listening = trio.Lock()
        self._words = b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; if ssh has ended, the error has its message."""
        try:
            await self._stdin.send_all(data)
        except trio.BrokenResourceError as error:
            raise trio.BrokenResourceError(await self._last_words()) from error

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until ssh accepts more data."""
        await self._stdin.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Close the sending direction; docker on the remote machine passes that on."""
        await self._stdin.aclose()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive; an end before the first byte is an error with ssh's message."""
        data = await self._stdout.receive_some(max_bytes)
        if not data and not self._heard:
            raise trio.BrokenResourceError(await self._last_words())
        self._heard = True
        return data

    @property
    def is_readable(self) -> bool:
        """Whether data can be received now, or the stream has ended."""
        if not isinstance(self._stdout, trio.lowlevel.FdStream):
            return False
        poller = select.poll()
        poller.register(self._stdout.fileno(), select.POLLIN)
        return bool(poller.poll(0))

    async def aclose(self) -> None:
        """Close the streams; end and reap the process."""
        with trio.CancelScope(shield=True):  # bounded by its steps
            for stream in (self._stdin, self._stdout, self._stderr):
                await stream.aclose()
            for number in (signal.SIGTERM, signal.SIGKILL):
                if self._process.returncode is None:
                    self._process.send_signal(number)
                    with trio.move_on_after(_CLEANUP_SECONDS):
                        await self._process.wait()
        await trio.lowlevel.checkpoint()

    async def _last_words(self) -> str:
        """The end of ssh's standard error; may be called for both directions."""
        async with self._listening:
            # A master connection of ssh that keeps running may keep its standard error open.
            with trio.move_on_after(_CLEANUP_SECONDS):
                while piece := await self._stderr.receive_some(_STDERR_BYTES):
                    self._words = (self._words + piece)[-_STDERR_BYTES:]
        words = " ".join(self._words.decode("utf-8", "replace").split())
        return words or "ssh ended without a word"


def ssh_command(address: Address) -> Sequence[str]:
    """The command that connects to *address*.

    No part of the address can act as an option or as shell syntax: the parser refuses leading
    dashes, ``--`` ends ssh's options, and the text for the remote shell is quoted.

    Args:
        address: an address with the scheme ``ssh``.
    """
    # Only errors are logged: standard error is not read meanwhile, and a full pipe would block ssh.
    command = ["ssh", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-T"]
    if address.port != _SSH_PORT:
        command += ["-p", str(address.port)]
    if address.user:
        command += ["-l", address.user]
    remote = ["docker", "system", "dial-stdio"]
    if address.path.strip("/"):
        remote[1:1] = ["-H", shlex.quote(f"unix://{address.path}")]
    return [*command, "--", address.host, *remote]


async def open_ssh(address: Address) -> SSHStream:
    """Start ssh; whether the login succeeded is known when the first bytes arrive.

    Raises:
        OSError: there is no ssh command.
    """
    process = await trio.lowlevel.open_process(
        ssh_command(address),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # In a session of its own, so that a Ctrl-C in the terminal only reaches the manager.
        start_new_session=True,
    )
    return SSHStream(process)
