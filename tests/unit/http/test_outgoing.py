"""Heads of requests as h11 writes them, remembered without what is secret."""

import h11
import pytest

from swarmcore.http.client import outgoing
from swarmcore.http.client.outgoing import write_request
from swarmcore.http.headers import kept_by_headers

HOST = (b"Host", b"docker")
HEADERS = [
    (HOST, (b"User-Agent", b"Docker-Client/28"), (b"x-meta", b"1"), (b"X-Meta", b"2")),
    (HOST, (b"Content-Length", b"17"), (b"Content-Type", b"application/json")),
    (HOST, (b"Transfer-Encoding", b"chunked")),
    ((b"X-Registry-Auth", b"e30="), HOST),
]


@pytest.fixture(autouse=True)
def written(monkeypatch):
    """The targets of the heads that h11 was asked to write."""
    written, write = [], outgoing._write
    fresh = kept_by_headers(outgoing._write_once.__wrapped__)
    monkeypatch.setattr(outgoing, "_write_once", fresh)
    monkeypatch.setattr(
        outgoing, "_write", lambda *request: written.append(request[1]) or write(*request)
    )
    return written


@pytest.mark.parametrize("target", ["/v1.41/info", "/containers/a%20b/json?size=1", "*"])
@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_bytes_are_those_of_h11(method, target, headers):
    event = h11.Request(method=method, target=target, headers=list(headers))
    expected = h11.Connection(h11.CLIENT).send(event)
    for _ in range(2):
        assert write_request(method, target, headers).head == expected


def test_a_head_is_written_by_h11_once_whatever_its_target(written):
    for number in range(5):
        write_request("GET", f"/containers/{number}/json", HEADERS[0])
    assert written == ["/"]


@pytest.mark.parametrize(
    "header",
    [
        (b"X-Registry-Auth", b"e30="),
        (b"x-registry-config", b"e30="),
        (b"Authorization", b"Basic x"),
        (b"Cookie", b"x"),
        (b"X-Large", b"x" * 5000),
    ],
)
def test_credentials_and_large_headers_are_not_remembered(written, header):
    for _ in range(2):
        write_request("GET", "/info", (HOST, header))
    assert len(written) == 2


@pytest.mark.parametrize(("index", "length"), [(0, 0), (1, 17), (2, None)])
def test_the_length_of_the_body_is_told(index, length):
    assert write_request("POST", "/x", HEADERS[index]).length == length


@pytest.mark.parametrize(
    ("method", "target", "headers", "error"),
    [
        ("GET", "/a b", (HOST,), h11.LocalProtocolError),
        ("GET", "/ä", (HOST,), UnicodeError),
        ("GET", "/", (), h11.LocalProtocolError),
        ("G T", "/", (HOST,), h11.LocalProtocolError),
        ("GET", "/", (HOST, (b"X", b"a\r\nY: b")), h11.LocalProtocolError),
        ("GET", "/", (HOST, (b"X Y", b"a")), h11.LocalProtocolError),
    ],
)
def test_a_malformed_head_is_refused_each_time(method, target, headers, error):
    for _ in range(2):
        with pytest.raises(error):
            write_request(method, target, headers)
