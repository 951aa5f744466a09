"""Verification of certificates, on both sides, and errors of certificate files."""

import ssl

import pytest
import trio
import trio.testing
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from swarmcore.errors import ConfigError
from swarmcore.http.tls import TLSListener, TLSStream, client_context, server_context
from swarmcore.model import TLSFiles
from tests.component.http.tls.pairs import agree, tls_pair


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
async def test_without_verification_every_client_is_accepted_without_a_name(files, server, name):
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


def test_versions_before_1_2_are_refused(files):
    for context in (client_context(files.of("client")), server_context(files.of("server"))):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_a_client_that_offers_http_2_gets_http_1_1(contexts):
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
def test_an_unusable_file_has_classics_error(files, monkeypatch, build, replaced, message):
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
