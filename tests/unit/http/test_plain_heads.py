"""Heads of answers read without h11, with h11 as the judge."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.http.plain_heads import PlainHead, read_plain_head

OK = b"HTTP/1.1 200 OK\r\n"


def head(*lines, first=OK):
    return first + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def read_by_h11(data, method):
    """h11's answer, the body that it reads after that head, and the event after the body."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(data)
    answer = reader.next_event()
    reader.receive_data(b"3\r\nabc\r\n0\r\n\r\n")
    body = b""
    while isinstance(event := reader.next_event(), h11.Data):
        body += event.data
    return answer, body, event


LINES = st.sampled_from(
    [
        *(b"Content-Length: 3", b"content-length:13", b"Content-Length: 03", b"Content-Length: 0"),
        *(b"Content-Length: 3, 3", b"Content-Length: -1", b"Content-Length: +3"),
        *(b"Content-Length:", b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked"),
        *(b"Transfer-Encoding: gzip", b"Connection: close", b"Connection: keep-alive"),
        *(b"Upgrade: tcp", b"Server: Docker/20.10", b"X-Empty:", b"X-Spaces:   a  b  "),
        *(b"X-Tab:\ta", b"X : a", b" folded", b"X-\xc3\xa4: a", b"X-Text: \xc3\xa4", b"X-Zero: \0"),
        *(b"X-Control: \x01", b"no colon", b"X: a\nY: b", b""),
    ]
)
FIRST = st.sampled_from(
    [
        *(OK, b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 304 Not Modified\r\n"),
        *(b"HTTP/1.1 404 Not Found\r\n", b"HTTP/1.1 500 \r\n", b"HTTP/1.1 200\r\n", b"200 OK\r\n"),
        *(b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 101 UPGRADED\r\n"),
        *(b"HTTP/1.1 20 OK\r\n", b"http/1.1 200 OK\r\n", b"HTTP/1.1  200 OK\r\n", b"\r\n", b""),
    ]
)


@given(FIRST, st.lists(LINES, max_size=4), st.sampled_from(["GET", "HEAD", "POST"]))
def test_what_is_read_is_what_h11_reads(first, lines, method):
    data = head(*lines, first=first)
    found = read_plain_head(data, is_head=method == "HEAD")
    if found is None:
        return
    answer, body, event = read_by_h11(data, method)
    assert isinstance(answer, h11.Response)
    assert found.status == answer.status_code
    assert found.headers == tuple(answer.headers.raw_items())
    assert found.reason == answer.reason
    assert answer.http_version == b"1.1"
    sent = b"3\r\nabc\r\n0\r\n\r\n"
    if found.length is None:
        assert (body, type(event)) == (b"abc", h11.EndOfMessage)
    else:
        assert body == sent[: found.length]
        assert isinstance(event, h11.EndOfMessage) == (found.length <= len(sent))


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ([b"Content-Type: application/json", b"Content-Length: 17"], 17),
        ([b"Transfer-Encoding: chunked", b"Date: Mon, 30 Nov 2026 14:00:00 GMT"], None),
    ],
)
def test_heads_as_engines_write_them_are_plain(lines, length):
    headers = tuple(tuple(line.split(b": ")) for line in lines)
    expected = PlainHead(200, headers, b"OK", length)
    assert read_plain_head(head(*lines), is_head=False) == expected


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"Connection: close", b"Content-Length: 3"],
        [b"Content-Length: 3", b"Content-Length: 3"],
        [b"Content-Length: 3", b"Transfer-Encoding: chunked"],
    ],
)
def test_a_body_without_a_plain_end_is_left_to_h11(lines):
    assert read_plain_head(head(*lines), is_head=False) is None
