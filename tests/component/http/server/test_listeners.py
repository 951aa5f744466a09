"""The addresses on which the manager listens."""

import grp
import os
import socket
import stat
import sys
from functools import partial

import pytest
import trio
import trustme

from swarmcore.errors import ConfigError
from swarmcore.http.messages import Answer
from swarmcore.http.server import Server
from swarmcore.http.server.listeners import ListenAddress, open_listeners, parse_listen
from swarmcore.http.tls import TLSStream, client_context, server_context
from swarmcore.model import TLSFiles


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:6000", ListenAddress("tcp", "127.0.0.1", 6000)),
        ("tcp://0.0.0.0:3375", ListenAddress("tcp", "0.0.0.0", 3375)),
        ("tcp://[::1]:3375", ListenAddress("tcp", "::1", 3375)),
        (":3375", ListenAddress("tcp", "", 3375)),
        ("tcp://:0", ListenAddress("tcp", "", 0)),
        ("127.0.0.1:0", ListenAddress("tcp", "127.0.0.1", 0)),
        ("unix:///run/swarmcore.sock", ListenAddress("unix", path="/run/swarmcore.sock")),
        ("fd://", ListenAddress("fd")),
        ("fd://*", ListenAddress("fd")),
        ("fd://api", ListenAddress("fd", name="api")),
    ],
    ids=str,
)
def test_addresses_to_listen_on(text, address):
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("npipe:////./pipe", 'unsupported protocol: "npipe"'),
        ("unix://relative", "absolute path"),
        ("tcp://127.0.0.1", "missing port"),
        ("127.0.0.1:http", "not a number from 1 to 65535"),
        ("127.0.0.1:70000", "not a number from 1 to 65535"),
        ("", "missing port"),
        ("::1:80", "IPv6"),
    ],
    ids=str,
)
def test_an_invalid_address_to_listen_on_is_one_line(text, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_listen(text)
    assert "\n" not in str(caught.value)


async def ask(stream, text=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
    seen = b""
    async with stream:
        await stream.send_all(text)
        while data := await stream.receive_some():
            seen += data
    return seen


async def tell_client(exchange):
    client = exchange.request.client
    await exchange.send(Answer(200, (), f"{client.host} {client.identity}".encode()))


async def test_a_unix_socket_is_the_owners_alone_and_is_gone_afterwards(tmp_path):
    path = tmp_path / "s.sock"
    old = os.umask(0)
    try:
        [listener] = await open_listeners([parse_listen(f"unix://{path}")], environ={})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with trio.open_nursery() as nursery:
        server = Server(tell_client)
        await nursery.start(server.run, [listener])
        assert (await ask(await trio.open_unix_socket(path))).endswith(b"\r\n\r\nunix ")
        server.stop()
    assert not path.exists()


async def test_a_group_can_get_access(tmp_path):
    path = tmp_path / "s.sock"
    group = grp.getgrgid(os.getgid())
    [listener] = await open_listeners(
        [parse_listen(f"unix://{path}")], environ={}, group=group.gr_name
    )
    async with listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert path.stat().st_gid == group.gr_gid


async def test_an_unknown_group_is_told_and_leaves_nothing(tmp_path):
    path = tmp_path / "s.sock"
    with pytest.raises(ConfigError, match="no group 'nosuchgroup'"):
        await open_listeners([parse_listen(f"unix://{path}")], environ={}, group="nosuchgroup")
    assert not path.exists()


async def test_the_socket_of_a_dead_manager_is_taken_over(tmp_path):
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    [listener] = await open_listeners([parse_listen(f"unix://{path}")], environ={})
    async with listener:
        await (await trio.open_unix_socket(path)).aclose()


async def test_the_socket_of_a_running_manager_is_not_taken_over(tmp_path):
    path = tmp_path / "s.sock"
    address = parse_listen(f"unix://{path}")
    [living] = await open_listeners([address], environ={})
    async with living:
        with pytest.raises(ConfigError, match=f"cannot listen on unix://{path}: address already"):
            await open_listeners([address], environ={})
        assert path.exists()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ConfigError, match="is not a socket"):
        await open_listeners([parse_listen(f"unix://{path}")], environ={})
    assert path.read_text() == "data"


async def test_a_port_in_use_is_one_line_and_closes_what_was_opened(tmp_path):
    path = tmp_path / "s.sock"
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        addresses = [parse_listen(f"unix://{path}"), parse_listen(f"127.0.0.1:{port}")]
        with pytest.raises(ConfigError) as caught:
            await open_listeners(addresses, environ={})
    assert str(caught.value).startswith(
        f"cannot listen on tcp://127.0.0.1:{port}: address already in use; "
    )
    assert not path.exists()


async def test_an_address_of_another_machine_is_told():
    with pytest.raises(ConfigError, match="no interface of this machine"):
        await open_listeners([parse_listen("192.0.2.1:3375")], environ={})


@pytest.mark.parametrize(
    "environ",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": str(os.getpid())}],
    ids=["no variables", "another's", "no sockets"],
)
async def test_missing_sockets_of_systemd_are_an_error(environ):
    with pytest.raises(ConfigError, match="systemd has passed no socket"):
        await open_listeners([parse_listen("fd://")], environ=environ)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("fd://web", "cannot listen on fd://web: systemd has passed sockets named api, admin"),
        ("fd://api", "a socket named admin, which no -H names: add -H fd://admin"),
    ],
)
async def test_names_of_sockets_that_do_not_match_are_told(host, words):
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "api:admin"}
    with pytest.raises(ConfigError, match=words):
        await open_listeners([parse_listen(host)], environ=environ)
    assert environ == {}


INHERITOR = """
import os, trio
from swarmcore.http.server.listeners import open_listeners, parse_listen

async def main():
    [listener] = await open_listeners([parse_listen("fd://")], environ=os.environ)
    async with await listener.accept() as stream:
        left = [name for name in os.environ if name.startswith("LISTEN_")]
        await stream.send_all(f"inherited, and left {left}".encode())
    await listener.aclose()

trio.run(main)
"""


async def test_a_socket_that_systemd_passed_is_used():
    with socket.create_server(("127.0.0.1", 0)) as passed:
        script = 'exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" -c "$1"'
        command = ["sh", "-c", script, sys.executable, INHERITOR]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(trio.run_process, command, stdin=passed.fileno()))
            stream = await trio.open_tcp_stream("127.0.0.1", passed.getsockname()[1])
            assert await ask(stream, b"") == b"inherited, and left []"


async def test_tls_serves_with_the_clients_name(tmp_path):
    authority = trustme.CA()
    issued = {
        "server": authority.issue_cert("127.0.0.1"),
        "client": authority.issue_cert("jane@example.org", common_name="jane"),
    }
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = {}
    for name, cert in issued.items():
        cert.private_key_pem.write_to_path(tmp_path / f"{name}-key.pem")
        cert.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        files[name] = TLSFiles(
            ca=str(tmp_path / "ca.pem"),
            cert=str(tmp_path / f"{name}.pem"),
            key=str(tmp_path / f"{name}-key.pem"),
            verify=True,
        )
    [listener] = await open_listeners(
        [parse_listen("127.0.0.1:0")], environ={}, tls=server_context(files["server"])
    )
    port = listener.plain.socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        server = Server(tell_client)
        await nursery.start(server.run, [listener])
        # One that does not speak TLS is told so, and disturbs nobody.
        plain = await trio.open_tcp_stream("127.0.0.1", port)
        assert (await ask(plain)).endswith(b"Client sent an HTTP request to an HTTPS server.\n")
        transport = await trio.open_tcp_stream("127.0.0.1", port)
        stream = TLSStream(transport, client_context(files["client"]), server_hostname="127.0.0.1")
        assert (await ask(stream)).endswith(b"\r\n\r\n127.0.0.1 jane")
        server.stop()
