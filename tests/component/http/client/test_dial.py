"""Connections to an engine, with real sockets and a stand-in for ssh."""

import os
import re
import socket
import stat
import sys

import pytest
import trio
import trustme

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client.dial import Dialer, is_readable
from swarmcore.http.client.ssh import ssh_command
from swarmcore.http.tls import TLSListener, TLSStream, client_context, server_context
from swarmcore.model import TLSFiles


async def echo(stream):
    async with stream:
        if isinstance(stream, TLSStream):
            await stream.do_handshake()
        while data := await stream.receive_some():
            await stream.send_all(data)
        await stream.send_eof()


async def says_back(stream):
    """Send, end the sending side, and return what comes back."""
    async with stream:
        await stream.send_all(b"hello")
        await stream.send_eof()
        return b"".join([piece async for piece in stream])


async def serve(nursery, *listeners):
    return await nursery.start(trio.serve_listeners, echo, list(listeners))


def address_of(listener):
    host, port = listener.socket.getsockname()[:2]
    return Address("tcp", host, port)


@pytest.fixture
def tls_files(tmp_path):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = ca.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    both = str(tmp_path / "both.pem")
    return TLSFiles(str(tmp_path / "ca.pem"), both, both)


# ---- sockets


async def test_tcp_is_dialled_without_delay_and_with_keepalive(nursery):
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    await serve(nursery, listener)
    stream = await Dialer(address_of(listener)).dial()
    assert stream.transport_stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    assert stream.transport_stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    idle, interval, count = (
        stream.transport_stream.getsockopt(socket.IPPROTO_TCP, option)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    )
    assert idle + interval * count == 120
    assert stream.transport_stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    assert await says_back(stream) == b"hello"


async def test_a_unix_socket_is_dialled(nursery, tmp_path):
    path = str(tmp_path / "docker.sock")
    sock = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    await sock.bind(path)
    sock.listen(1)
    await serve(nursery, trio.SocketListener(sock))
    assert await says_back(await Dialer(Address("unix", path=path)).dial()) == b"hello"


async def test_tls_is_dialled_and_the_engine_verified(nursery, tls_files):
    [plain] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    await serve(nursery, TLSListener(plain, server_context(tls_files)))
    dialer = Dialer(address_of(plain), client_context(tls_files))
    assert await says_back(await dialer.dial()) == b"hello"


# ---- what goes wrong


async def refusal(dialer):
    with pytest.raises(EngineUnreachable) as caught:
        await dialer.dial()
    assert not caught.value.sent
    assert caught.value.engine == str(dialer.address)
    return str(caught.value)


async def test_a_closed_port_has_dockers_error(closed_port):
    assert await refusal(Dialer(Address("tcp", "127.0.0.1", closed_port))) == (
        f"Cannot connect to the Docker daemon at tcp://127.0.0.1:{closed_port}. "
        "Is the docker daemon running? (connection refused)"
    )


class NoNames(trio.abc.HostnameResolver):
    """A resolver that knows no host; the machine's own resolver may be slow."""

    async def getaddrinfo(self, *asked):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def getnameinfo(self, *asked):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("unix:///nowhere/docker.sock", "unix:///nowhere/docker.sock.*no such file or directory"),
        ("tcp://name.invalid:2375", "tcp://name.invalid:2375.*name or service not known"),
        ("tcp://" + "x" * 70 + ":2375", "running"),
    ],
    ids=["no socket", "no such host", "a name too long"],
)
async def test_an_engine_that_cannot_be_found_is_named_with_the_reason(address, words):
    trio.socket.set_custom_hostname_resolver(NoNames())
    message = await refusal(Dialer(parse_address(address)))
    assert re.search(words, message), message


async def test_a_host_without_an_answer_times_out_after_five_seconds(autojump_clock, monkeypatch):
    async def swallow(host, port):
        await trio.sleep_forever()

    monkeypatch.setattr(trio, "open_tcp_stream", swallow)
    message = await refusal(Dialer(parse_address("10.0.0.1:2375")))
    assert "no connection within 5 s" in message
    assert trio.current_time() == pytest.approx(5, abs=0.1)


async def test_an_engine_without_tls_has_its_own_error(nursery, tls_files):
    async def answer(stream):
        async with stream:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    await nursery.start(trio.serve_listeners, answer, [listener])
    dialer = Dialer(address_of(listener), client_context(tls_files))
    assert "(the other side does not speak TLS)" in await refusal(dialer)


async def test_an_engine_with_another_ca_has_its_own_error(nursery, tls_files):
    [plain] = await trio.open_tcp_listeners(0, host="127.0.0.1")

    async def refused(stream):
        async with stream:
            with pytest.raises(OSError, match="ALERT"):
                await stream.do_handshake()

    listener = TLSListener(plain, server_context(tls_files))
    await nursery.start(trio.serve_listeners, refused, [listener])
    strict = client_context(TLSFiles())  # the system's roots
    assert "certificate verify failed" in await refusal(Dialer(address_of(plain), strict))


# ---- ssh


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("ssh://n1", "-T -- n1 docker system dial-stdio"),
        ("ssh://ops@n1:2222", "-T -p 2222 -l ops -- n1 docker system dial-stdio"),
        ("ssh://n1/run/d.sock", "-T -- n1 docker -H unix:///run/d.sock system dial-stdio"),
        ("ssh://n1/a;reboot", "-T -- n1 docker -H 'unix:///a;reboot' system dial-stdio"),
        ("ssh://[fe80::1]", "-T -- fe80::1 docker system dial-stdio"),
    ],
)
def test_the_ssh_command(text, tail):
    command = ssh_command(parse_address(text))
    assert " ".join(command) == f"ssh -o BatchMode=yes -o LogLevel=ERROR {tail}"


@pytest.fixture
def fake_ssh(tmp_path, monkeypatch):
    """Put a program called ssh first in ``PATH``; return the file with its process id."""

    def install(body):
        program = tmp_path / "ssh"
        pid = tmp_path / "pid"
        program.write_text(
            f"#!{sys.executable} -S\nimport os, sys, time\n"
            f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n{body}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return pid

    return install


ECHO = "while data := os.read(0, 65536): os.write(1, data)"
SSH = Dialer(parse_address("ssh://n1"))


async def test_ssh_carries_bytes_and_their_end_both_ways(fake_ssh):
    fake_ssh(ECHO)
    assert await says_back(await SSH.dial()) == b"hello"


async def test_the_error_of_ssh_itself_is_reported(fake_ssh):
    fake_ssh("sys.exit('ops@n1: Permission denied (publickey).')")
    stream = await SSH.dial()
    async with stream:
        with pytest.raises(trio.BrokenResourceError, match="Permission denied"):
            await stream.receive_some()


async def test_the_error_of_ssh_reaches_both_directions(fake_ssh):
    fake_ssh("print('no route', file=sys.stderr, flush=True); os.close(0); os.close(1)")
    told = []

    async def told_by(action):
        try:
            while True:
                await action()
        except trio.BrokenResourceError as error:
            told.append(str(error))

    async with await SSH.dial() as stream, trio.open_nursery() as nursery:
        nursery.start_soon(told_by, stream.receive_some)
        nursery.start_soon(told_by, lambda: stream.send_all(b"x" * 65536))
    assert told == ["no route", "no route"]


@pytest.mark.parametrize("cancelled", [False, True], ids=["closed", "cancelled"])
async def test_the_ssh_process_is_gone_when_the_stream_is_closed(fake_ssh, cancelled):
    pid = fake_ssh("import signal; os.write(1, b'.'); time.sleep(1000)")
    stream = await SSH.dial()
    assert await stream.receive_some() == b"."
    with trio.CancelScope() as scope:
        if cancelled:
            scope.cancel()
        await stream.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_an_ssh_that_ignores_the_request_to_end_is_killed(fake_ssh):
    body = "import signal; signal.signal(15, signal.SIG_IGN); os.write(1, b'.'); time.sleep(1000)"
    pid = fake_ssh(body)
    stream = await SSH.dial()
    await stream.receive_some()
    await stream.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_a_machine_without_ssh_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no such file or directory" in await refusal(SSH)


# ---- idle connections


async def test_an_idle_connection_that_ended_is_known_by_being_readable(nursery):
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    stream = await trio.open_tcp_stream(*listener.socket.getsockname())
    async with stream, listener:
        theirs = await listener.accept()
        assert not is_readable(stream)
        await theirs.aclose()
        await trio.lowlevel.wait_readable(stream.socket)
        assert is_readable(stream)


async def test_an_idle_ssh_that_ended_is_known_by_being_readable(fake_ssh):
    fake_ssh("os.write(1, os.read(0, 1)); os.read(0, 1)")
    async with await SSH.dial() as stream:
        await stream.send_all(b"1")
        assert await stream.receive_some() == b"1"
        assert not is_readable(stream)
        await stream.send_eof()
        with trio.fail_after(60):
            await trio.lowlevel.wait_readable(stream._stdout.fileno())
        assert is_readable(stream)
