"""The client's requests, and the kinds of connections."""

import pytest
import trio
import trustme

from swarmcore.addresses import Address
from swarmcore.errors import BadRequest
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.tls import TLSListener, client_context, server_context
from swarmcore.model import TLSFiles
from tests.component.http.client.socket_engine import OK, ScriptedEngine, asking, endless


async def asked(method="GET", target="/_ping", **arguments):
    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        await client.request(method, target, **arguments)
    head, _, body = engine.seen[0].partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    return first, headers, body


async def test_a_get_has_only_necessary_headers():
    first, headers, body = await asked("GET", "/v1.41/info")
    assert first == b"GET /v1.41/info HTTP/1.1"
    assert sorted(headers) == [b"Host: docker", b"User-Agent: swarmcore"]
    assert body == b""


@pytest.mark.parametrize(
    "target",
    ["/containers/a%2Fb/json", "/x?filters=%7B%22a%22%3A%5B%22b%22%5D%7D", "/a//b?c=+&d", "/%20"],
)
async def test_a_target_goes_out_byte_for_byte(target):
    first, _, _ = await asked("GET", target)
    assert first == b"GET %s HTTP/1.1" % target.encode()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", None, b"0"), ("DELETE", None, b"0"), ("POST", b"{}", b"2"), ("POST", b"", b"0")],
)
async def test_a_body_is_announced_with_its_length(method, body, length):
    _, headers, sent = await asked(method, body=body)
    assert b"Content-Length: " + length in headers
    assert sent == (body or b"")


async def test_headers_go_along_in_their_order_and_case():
    _, headers, _ = await asked(headers=((b"X-Registry-Auth", b"e30="), (b"x-b", b"1")))
    assert [header for header in headers if header.lower().startswith(b"x-")] == [
        b"X-Registry-Auth: e30=",
        b"x-b: 1",
    ]


async def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    first, _, _ = await asked()
    assert first == b"GET /_ping HTTP/1.1"


@pytest.mark.parametrize("target", ["/a b", "/ä", "/a\r\nX: y", "info", ""])
async def test_an_invalid_target_is_an_error_of_the_caller(target):
    with pytest.raises(BadRequest):
        await HTTPClient(Dialer(Address("tcp", "127.0.0.1", 9))).request("GET", target)


async def test_an_invalid_header_is_an_error_of_the_caller():
    with pytest.RaisesGroup(pytest.RaisesExc(BadRequest)):
        await asked(headers=((b"X-A", b"1\r\nX-B: 2"),))


# ---- ways


@pytest.mark.parametrize("way", ["tls", "unix"])
async def test_all_kinds_of_connections_work_alike(way, tmp_path, nursery):
    engine = ScriptedEngine(OK, endless)
    if way == "tls":
        ca, both = trustme.CA(), tmp_path / "both.pem"
        ca.cert_pem.write_to_path(tmp_path / "ca.pem")
        ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(both)
        files = TLSFiles(str(tmp_path / "ca.pem"), str(both), str(both))
        [plain] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        address = Address("tcp", *plain.socket.getsockname())
        listener, dialer = (
            TLSListener(plain, server_context(files)),
            Dialer(address, client_context(files)),
        )
    else:
        sock = trio.socket.socket(trio.socket.AF_UNIX)
        await sock.bind(str(tmp_path / "sock"))
        sock.listen()
        listener = trio.SocketListener(sock)
        dialer = Dialer(Address("unix", path=str(tmp_path / "sock")))
    await nursery.start(trio.serve_listeners, engine.serve, [listener])
    client = HTTPClient(dialer)
    assert (await client.request("GET", "/x")).body == b"ok"
    async with client.lines("/events") as lines:
        assert await anext(lines) == b"1"
    assert engine.connections == 1
    await client.aclose()
