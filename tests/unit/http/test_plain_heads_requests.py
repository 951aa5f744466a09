"""Heads of requests read without h11, with h11 as the judge."""

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarmcore.http.plain_heads import read_plain_request

HOST = b"Host: manager:2375\r\n"
#: Pieces of which heads are made: plain ones, and those of which only h11 may judge.
METHODS = [b"GET", b"POST", b"PUT", b"FROB", b"get", b"G T", b""]
TARGETS = [b"/", b"/v1.51/containers/a/json?all=1", b"*", b"http://x/info", b"/\xff", b"/a b", b""]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.7", b"HTTP/2.0", b"http/1.1", b""]
LINES = [
    *(HOST, b"hOST: \r\n", b"Host : x\r\n", b"Host:x\n", b"X: y\r\n", b"x:\r\n", b"X:  y \r\n"),
    *(b"X: \ty\r\n", b"X: y\r\n z\r\n", b"X: \0\r\n", b"X: \x01\r\n", b"X: \xff\r\n", b": y\r\n"),
    *(b"X\r\n", b"\r\n", b"X: a\rb\r\n", b"Content-Length: 0\r\n", b"content-length: 12\r\n"),
    *(b"Content-Length: 012\r\n", b"Content-Length: +1\r\n", b"Content-Length: 1, 1\r\n"),
    *(b"Content-Length: \xb2\r\n", b"Content-Length: 9999999999999999999\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: CHUNKED\r\n"),
    *(b"Transfer-Encoding: gzip\r\n", b"Transfer-Encoding: gzip, chunked\r\n"),
    *(b"Expect: 100-continue\r\n", b"Upgrade: tcp\r\n", b"Connection: close\r\n"),
    b"Connection: Upgrade\r\n",
]


def judge(data):
    """What h11 makes of a head: its parts and the length of the body; ``None`` if it refuses."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.Request):
        return None
    assert not connection.they_are_waiting_for_100_continue
    assert connection.trailing_data == (b"", False)
    headers = dict(event.headers)
    length = int(headers.get(b"content-length", 0))
    is_chunked = b"transfer-encoding" in headers
    parts = (event.method, event.target, tuple(event.headers.raw_items()))
    return (event.http_version, *parts, None if is_chunked else length)


@given(
    method=st.sampled_from(METHODS),
    target=st.sampled_from(TARGETS),
    version=st.sampled_from(VERSIONS),
    lines=st.lists(st.sampled_from(LINES), max_size=5),
)
@settings(max_examples=2000)
def test_h11_agrees_with_every_head_of_a_request_that_is_read_without_it(
    method, target, version, lines
):
    data = b"%b %b %b\r\n%b\r\n" % (method, target, version, b"".join(lines))
    head, end, _ = data.partition(b"\r\n\r\n")
    plain = read_plain_request(head + end)
    if plain is not None:
        found = (plain.method, plain.target, plain.headers, plain.length)
        assert judge(head + end) == (b"1.1", *found)


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (HOST + b"User-Agent: Docker-Client/28.5.1 (linux)\r\nAccept-Encoding: gzip\r\n", 0),
        (HOST + b"Content-Length: 17\r\nContent-Type: application/json\r\n", 17),
        (b"Transfer-Encoding: chunked\r\n" + HOST, None),
        (HOST + b"Connection: close\r\nX-Registry-Auth: e30=\r\n", 0),
    ],
)
def test_usual_heads_of_requests_are_read_without_h11(lines, length):
    plain = read_plain_request(
        b"POST /v1.51/containers/create?name=a HTTP/1.1\r\n" + lines + b"\r\n"
    )
    assert plain is not None
    assert plain.length == length
