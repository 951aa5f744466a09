"""Managers that are started as systemd starts a service, by its own ``systemd-socket-activate``."""

import os
import shutil
import socket
import ssl
import subprocess
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from swarmcore.http.tls import TLSListener
from swarmcore.testing.ports import free_port
from tests.commands.operated import SWARMCORE

ACTIVATE = shutil.which("systemd-socket-activate")


def require_systemd():
    """Skip a test where systemd's tools are not installed, unless real parts are required."""
    if ACTIVATE is None:
        assert os.environ.get("SWARMCORE_REQUIRE_DOCKER") != "1", "run scripts/lab-install"
        pytest.skip("systemd is not installed: run scripts/lab-install")


class Notified:
    """A notify socket, and the messages that it received, as mappings."""

    def __init__(self, path):
        self.path = str(path)
        self.messages = []
        self._read = 0
        self._arrived = trio.Event()

    async def run(self, *, task_status):
        """Receive until cancelled."""
        with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            await sock.bind(self.path)
            task_status.started()
            while True:
                lines = (await sock.recv(65536)).decode().split("\n")
                self.messages.append(dict(line.split("=", 1) for line in lines))
                self._arrived.set()
                self._arrived = trio.Event()

    async def until(self, name):
        """Return the next message with the variable *name*."""
        while True:
            while self._read == len(self.messages):
                await self._arrived.wait()
            self._read += 1
            if name in self.messages[self._read - 1]:
                return self.messages[self._read - 1]


class Service:
    """A manager behind a socket that was opened for it."""

    def __init__(self, port, notified, log, tls):
        self.port, self.notified, self.log, self.tls = port, notified, log, tls
        self.process = None

    async def wake(self):
        """Let systemd start the manager; return its message that it is ready."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        await stream.aclose()
        return await self.notified.until("READY")

    async def connect(self):
        """Open a connection, with TLS if the service has it."""
        if self.tls is None:
            return await trio.open_tcp_stream("127.0.0.1", self.port)
        context = ssl.create_default_context(cafile=self.tls.ca)
        context.load_cert_chain(self.tls.cert, self.tls.key)
        stream = await trio.open_ssl_over_tcp_stream(
            "127.0.0.1", self.port, ssl_context=context, https_compatible=True
        )
        await stream.do_handshake()
        return stream

    async def ask(self, target, method="GET"):
        """Return status line and body of an answer, on a connection of its own."""
        async with await self.connect() as stream:
            return await finish(stream, await begin(stream, target, method))

    def signal(self, number):
        self.process.send_signal(number)


async def begin(stream, target, method="GET"):
    """Send a request; return what of its answer is there already: nothing."""
    lines = (f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", "Content-Length: 0")
    head = "\r\n".join((*lines, "", ""))
    await stream.send_all(head.encode())
    return b""


async def finish(stream, data):
    """Read the rest of an answer; return its status and its text."""
    while piece := await stream.receive_some():
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


@asynccontextmanager
async def started_service(folder, config, *, name="", tls=None, environment=()):
    """Listen as systemd does, and start a manager with the file *config* at the first connection.

    Args:
        folder: for the notify socket and the log.
        config: path of the TOML file.
        name: FileDescriptorName of the socket.
        tls: the client's TLS files.
        environment: more variables, as ``NAME=VALUE``.
    """
    notified = Notified(folder / "notify")
    port = free_port()
    variables = (f"NOTIFY_SOCKET={notified.path}", "WATCHDOG_USEC=200000", *environment)
    command = [ACTIVATE, "-l", f"127.0.0.1:{port}", *(["--fdname", name] if name else [])]
    command += [word for variable in variables for word in ("-E", variable)]
    command += [SWARMCORE, "manage", "--config", config]
    log = folder / "log"
    service = Service(port, notified, log, tls)
    with log.open("wb") as output:
        with trio.fail_after(100):
            async with trio.open_nursery() as nursery:
                await nursery.start(notified.run)
                run = partial(trio.run_process, command, stdout=output, stderr=output, check=False)
                service.process = await nursery.start(run)
                try:
                    while "Listening" not in log.read_text():  # its socket is open
                        assert service.process.poll() is None, log.read_text()
                        await trio.sleep(0.02)
                    yield service
                finally:
                    if service.process.poll() is None:
                        service.process.kill()
                    nursery.cancel_scope.cancel()


@asynccontextmanager
async def tls_before(engine, context, callers):
    """Serve *engine* with TLS; add the name in each caller's certificate to *callers*.

    Yields:
        The address.
    """

    async def carry(source, sink):
        try:
            while data := await source.receive_some(65536):
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def serve(stream):
        try:
            await stream.do_handshake()
            callers.append(stream.peer_name)
            inner = await trio.open_tcp_stream("127.0.0.1", int(engine.address.split(":")[1]))
        except (OSError, ssl.SSLError, trio.BrokenResourceError):
            await trio.aclose_forcefully(stream)
            return
        async with stream, inner, trio.open_nursery() as both:
            both.start_soon(carry, stream, inner)
            await carry(inner, stream)
            both.cancel_scope.cancel()

    [plain] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [TLSListener(plain, context)])
        yield f"127.0.0.1:{plain.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


def output(*command):
    """Run a command of systemd's tools; return its status and its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr
