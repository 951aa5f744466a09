"""TLS with half-close: against itself, against trio's stream, and against blocking sockets."""

import hashlib
import random
import socket
import ssl

import pytest
import trio
import trio.testing
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from swarmcore.errors import ConfigError
from swarmcore.http.tls import TLSListener, TLSStream, client_context, server_context
from swarmcore.model import TLSFiles

CHUNK = 100_000
MUCH = random.Random(1).randbytes(10_000_000)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Files:
    """PEM files: a CA, a server of its own, and a client that it signed."""

    def __init__(self, folder):
        self.folder = folder
        ca = trustme.CA()
        ca.cert_pem.write_to_path(folder / "ca.pem")
        self._write("server", ca.issue_cert("localhost", "127.0.0.1"))
        self._write("client", ca.issue_cert("ops@example.org", common_name="ops"))
        self._write("stranger", trustme.CA().issue_cert("localhost"))

    def _write(self, name, certificate):
        certificate.cert_chain_pems[0].write_to_path(self.folder / f"{name}.pem")
        certificate.private_key_pem.write_to_path(self.folder / f"{name}.key")

    def of(self, name, *, verify=True):
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        return TLSFiles(str(self.folder / "ca.pem"), str(cert), str(key), verify)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def contexts(request, files):
    """A client's and a server's rules; both verify."""
    client = client_context(files.of("client"))
    client.maximum_version = request.param
    return client, server_context(files.of("server"))


async def agree(client, server):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.do_handshake)
        nursery.start_soon(server.do_handshake)


async def tls_pair(contexts, ends):
    """Two ends of one connection, after the handshake."""
    client = TLSStream(ends[0], contexts[0], server_hostname="localhost")
    server = TLSStream(ends[1], contexts[1], server_side=True)
    await agree(client, server)
    return client, server


def socket_ends():
    """A connection with a kernel's buffers, which fill up."""
    return tuple(
        trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in tcp_socket_pair()
    )


def tcp_socket_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    return ours, theirs


async def read_all(stream):
    data = bytearray()
    while piece := await stream.receive_some():
        data += piece
    return bytes(data)


# ---- half-close


@pytest.mark.parametrize("side", ["client", "server"])
async def test_the_other_direction_goes_on_after_an_end(contexts, side):
    client, server = await tls_pair(contexts, socket_ends())
    first, second = (client, server) if side == "client" else (server, client)
    async with first, second:
        await first.send_all(b"question")
        await first.send_eof()
        assert await read_all(second) == b"question"
        assert await second.receive_some() == b""
        await second.send_all(b"answer")
        await second.send_eof()
        assert await read_all(first) == b"answer"


async def test_what_waits_to_be_received_survives_our_end(contexts):
    client, server = await tls_pair(contexts, trio.testing.memory_stream_pair())
    await server.send_all(MUCH[:CHUNK])
    head = await client.receive_some(10)
    await client.send_eof()
    await server.send_all(b"late")
    await server.send_eof()
    assert head + await read_all(client) == MUCH[:CHUNK] + b"late"
    assert await server.receive_some() == b""


async def test_ten_megabytes_each_way_against_trios_stream(contexts):
    ours, theirs = socket_ends()
    client = TLSStream(ours, contexts[0], server_hostname="localhost")
    server = trio.SSLStream(theirs, contexts[1], server_side=True)
    seen = {}

    async def serve():
        seen["server"] = digest(await read_all(server))
        await server.send_all(MUCH[::-1])
        await server.aclose()

    async def send():
        await client.send_all(MUCH)
        await client.send_eof()

    async with client, trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await client.do_handshake()
        nursery.start_soon(send)
        seen["client"] = digest(await read_all(client))
    assert seen == {"server": digest(MUCH), "client": digest(MUCH[::-1])}


@pytest.mark.parametrize("side", ["client", "server"])
async def test_ten_megabytes_each_way_against_blocking_sockets(contexts, side):
    ours, theirs = tcp_socket_pair()
    blocking = contexts[1] if side == "client" else contexts[0]

    def serve():
        name = None if side == "client" else "localhost"
        with blocking.wrap_socket(theirs, server_side=not name, server_hostname=name) as peer:
            data = b"".join(iter(lambda: peer.recv(CHUNK), b""))
            peer.sendall(MUCH[::-1])
            peer.unwrap().close()
            return digest(data)

    stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
    if side == "client":
        stream = TLSStream(stream, contexts[0], server_hostname="localhost")
    else:
        stream = TLSStream(stream, contexts[1], server_side=True)
    seen = []

    async def run_peer():
        seen.append(await trio.to_thread.run_sync(serve))

    async with stream, trio.open_nursery() as nursery:
        nursery.start_soon(run_peer)
        await stream.do_handshake()
        await stream.send_all(MUCH)
        await stream.send_eof()
        assert digest(await read_all(stream)) == digest(MUCH[::-1])
    assert seen == [digest(MUCH)]


async def test_receiving_goes_on_while_sending_waits_for_the_peer(contexts):
    client, server = await tls_pair(contexts, socket_ends())

    async def echo():
        while data := await server.receive_some():
            await server.send_all(data)
        await server.send_eof()

    async def send():
        await client.send_all(MUCH)
        await client.send_eof()

    with trio.fail_after(100):
        async with client, server, trio.open_nursery() as nursery:
            nursery.start_soon(echo)
            nursery.start_soon(send)
            assert digest(await read_all(client)) == digest(MUCH)


# ---- misuse and failure


async def test_a_connection_that_ends_within_tls_is_broken_and_not_ended(contexts):
    client, server = await tls_pair(contexts, trio.testing.memory_stream_pair())
    await server.send_all(b"half")
    await trio.aclose_forcefully(server.transport_stream)
    assert await client.receive_some() == b"half"
    for _ in range(2):
        with pytest.raises(trio.BrokenResourceError, match="ended within TLS"):
            await client.receive_some()


async def test_a_peer_that_speaks_no_tls_is_named_as_such(contexts):
    ours, theirs = trio.testing.memory_stream_pair()
    client = TLSStream(ours, contexts[0], server_hostname="localhost")
    await theirs.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        await client.do_handshake()


async def test_two_tasks_in_one_direction_are_told(contexts):
    client, server = await tls_pair(contexts, trio.testing.memory_stream_pair())
    with pytest.RaisesGroup(pytest.RaisesExc(trio.BusyResourceError)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.receive_some)
            nursery.start_soon(client.receive_some)
    with pytest.RaisesGroup(pytest.RaisesExc(trio.BusyResourceError)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_all, b"a")
            nursery.start_soon(client.send_all, b"b")
    await trio.aclose_forcefully(server)


async def test_nothing_can_be_sent_after_the_end_was_said(contexts):
    client, _ = await tls_pair(contexts, trio.testing.memory_stream_pair())
    await client.send_eof()
    await client.send_eof()
    with pytest.raises(trio.ClosedResourceError):
        await client.send_all(b"more")


async def test_nothing_follows_a_send_that_was_cut_short(contexts):
    client, server = await tls_pair(contexts, socket_ends())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.send_all, MUCH)
        await trio.testing.wait_all_tasks_blocked(0.05)  # nobody reads: the buffers are full
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError, match="earlier send"):
        await client.send_all(b"more")
    await client.aclose()
    await server.aclose()


class StuckStream(trio.abc.HalfCloseableStream):
    """Takes nothing any more."""

    def __init__(self, inner):
        self.inner = inner
        self.stuck = False

    async def send_all(self, data):
        if self.stuck:
            await trio.sleep_forever()
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self):
        await self.inner.wait_send_all_might_not_block()

    async def send_eof(self):
        await self.inner.send_eof()

    async def receive_some(self, max_bytes=None):
        return await self.inner.receive_some(max_bytes)

    async def aclose(self):
        await self.inner.aclose()


@pytest.mark.parametrize("cancelled", [False, True], ids=["patient", "cancelled"])
async def test_closing_ends_although_the_peer_takes_nothing(contexts, autojump_clock, cancelled):
    ours, theirs = trio.testing.memory_stream_pair()
    stuck = StuckStream(ours)
    client, server = await tls_pair(contexts, (stuck, theirs))
    stuck.stuck = True
    started = trio.current_time()
    with trio.CancelScope() as scope:
        if cancelled:
            scope.cancel()
        await client.aclose()
    assert trio.current_time() - started <= 1
    with pytest.raises(trio.BrokenResourceError):
        await server.receive_some()


async def test_closing_before_the_handshake_says_nothing(contexts):
    ours, theirs = trio.testing.memory_stream_pair()
    await TLSStream(ours, contexts[0], server_hostname="localhost").aclose()
    assert await theirs.receive_some() == b""


# ---- rules


async def test_a_listener_leaves_the_handshake_to_whoever_serves(files):
    [plain] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listener = TLSListener(plain, server_context(files.of("server")))
    async with listener:
        ours = await trio.open_tcp_stream(*plain.socket.getsockname())
        server = await listener.accept()
        client = TLSStream(ours, client_context(files.of("client")), server_hostname="localhost")
        assert server.peer_name == ""
        await agree(client, server)
        assert server.peer_name == "ops"
        await trio.aclose_forcefully(client)
        await trio.aclose_forcefully(server)


@pytest.mark.parametrize(
    ("server", "name"), [("server", "localhost"), ("stranger", "localhost")], ids=str
)
async def test_without_verification_anybody_is_accepted_and_nobody_named(files, server, name):
    rules = client_context(TLSFiles(verify=False)), server_context(files.of(server, verify=False))
    _, accepted = await tls_pair(rules, trio.testing.memory_stream_pair())
    assert accepted.peer_name == ""


async def test_a_verifying_server_refuses_a_client_without_a_certificate(files):
    ca_only = TLSFiles(ca=files.of("client").ca)
    with pytest.RaisesGroup(pytest.RaisesExc(ssl.SSLError), allow_unwrapped=True):
        await tls_pair(
            (client_context(ca_only), server_context(files.of("server"))),
            trio.testing.memory_stream_pair(),
        )


@pytest.mark.parametrize(
    ("client", "reason"),
    [("", "our certificate: certificate required"), ("stranger", "our certificate: unknown ca")],
    ids=["no certificate", "a stranger's"],
)
async def test_a_client_that_is_refused_learns_why(files, client, reason):
    rules = TLSFiles(ca=files.of("client").ca)
    if client:
        rules = files.of(client)
    ours, theirs = trio.testing.memory_stream_pair()
    asking = TLSStream(ours, client_context(rules), server_hostname="localhost")
    serving = TLSStream(theirs, server_context(files.of("server")), server_side=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asking.do_handshake)
        with pytest.raises(ssl.SSLError):
            await serving.do_handshake()
    with pytest.raises(trio.BrokenResourceError, match=f"^the other side refuses {reason}$"):
        await asking.receive_some()


@pytest.mark.parametrize(
    ("server", "host", "reason"),
    [
        ("stranger", "localhost", "unable to get local issuer"),
        ("server", "n1", "Hostname mismatch"),
    ],
    ids=["another CA", "another name"],
)
async def test_a_verifying_client_refuses_an_engine_of(files, server, host, reason):
    ours, theirs = trio.testing.memory_stream_pair()
    client = TLSStream(ours, client_context(files.of("client")), server_hostname=host)
    peer = TLSStream(theirs, server_context(files.of(server)), server_side=True)
    async with trio.open_nursery() as nursery:

        async def refused():
            with pytest.raises(ssl.SSLError):
                await peer.do_handshake()

        nursery.start_soon(refused)
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            await client.do_handshake()


def test_nothing_older_than_1_2_is_spoken(files):
    for context in (client_context(files.of("client")), server_context(files.of("server"))):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_client_that_would_rather_speak_http_2_gets_http_1_1(contexts):
    contexts[0].set_alpn_protocols(["h2", "http/1.1"])
    client, _ = await tls_pair(contexts, trio.testing.memory_stream_pair())
    assert client._ssl.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"cert": "missing.pem"}, r"Couldn't load X509 key pair \(missing.pem, .*no such file"),
        ({"key": "stranger.key"}, r"Couldn't load X509 key pair .*mismatch.* Key encrypted\?$"),
        ({"key": "encrypted.key"}, r"Couldn't load X509 key pair .* Key encrypted\?$"),
        ({"ca": "missing.pem"}, r"^Couldn't read CA certificate missing.pem: no such file"),
        ({"ca": "client.key"}, r"^Couldn't read CA certificate client.key: no certificate"),
    ],
    ids=lambda value: "-".join(map("=".join, value.items())) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("build", [client_context, server_context])
def test_a_file_that_cannot_be_used_is_told_in_classics_words(
    files, monkeypatch, build, replaced, message
):
    monkeypatch.chdir(files.folder)
    key = load_pem_private_key((files.folder / "client.key").read_bytes(), None)
    secret = BestAvailableEncryption(b"secret")
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    (files.folder / "encrypted.key").write_bytes(encrypted)
    given = {"ca": "ca.pem", "cert": "client.pem", "key": "client.key"} | replaced
    with pytest.raises(ConfigError, match=message):
        build(TLSFiles(**given))


@pytest.mark.parametrize("given", [{}, {"cert": "c", "key": "k"}], ids=["no key pair", "no CA"])
def test_a_server_says_which_file_it_lacks(given):
    with pytest.raises(ConfigError, match=r"--tlscert|--tlscacert"):
        server_context(TLSFiles(**given))
