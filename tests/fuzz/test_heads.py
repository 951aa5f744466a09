"""Raw bytes instead of a request: heads, framing, pipelining, and parts of them."""

import pytest
from hypothesis import strategies as st

PATHS = [
    b"/_ping", b"/version", b"/containers/json", b"/v1.41/info", b"/containers/ghost/json",
    b"/containers/create", b"/networks/create", b"/build", b"/images/load", b"/exec/x/start",
    b"/events", b"/containers/box/attach?stream=1", b"/session", b"/auth",
]  # fmt: skip
TARGETS = [
    *PATHS, b"*", b"/", b"//", b"", b"http://x/_ping", b"http://", b"/%", b"/%00", b"/%ff/x",
    b"/..%2f..", b"//v1.41/_ping", b"/v1.41/x/../_ping", b"/v" + b"9" * 5000 + b".1/_ping",
    b"/info?%zz", b"/containers/json?a;b", b"/_ping?" + b"a&" * 500, b"/\xff", b"x:1",
    b"/v9999999999.1/_ping", b"/_ping#f",
]  # fmt: skip
METHODS = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"get", b"PRI",
    b"", b"G T", b"\xff", b"A" * 300,
]  # fmt: skip
VERSIONS = [
    b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2",
    b"HTTP/11", b"http/1.1", b"", b"ICY",
]  # fmt: skip
HEADERS = [
    b"Host: x", b"Host:", b"Connection: close", b"Connection: keep-alive", b"Connection: ,,,",
    b"Connection: expect", b"Connection: content-length, close", b"Connection: host, upgrade",
    b"Connection: Upgrade", b"Upgrade: tcp", b"Upgrade: websocket", b"Upgrade: h2c",
    b"Content-Type: application/json", b"Content-Type: \xff", b"Expect: 100-continue",
    b"Expect: tea", b"Accept-Encoding: gzip", b"Date: never", b"TE: trailers",
    b"X-Registry-Auth: e30", b"X-Registry-Auth: \x80", b"X-Registry-Config: %%%",
    b"X-Docker-Expose-Session-Uuid: u", b" folded", b"No colon", b": no name", b"Na me: x",
    b"X: " + b"y" * 7_000, b"X:\x00", b"A: b\r\n" * 1100 + b"C: d", b"X: a\rb",
    b"Proxy-Connection: x", b"Trailer: X",
]  # fmt: skip
FRAMINGS = [
    b"Content-Length: 0", b"Content-Length: 2", b"Content-Length: 5", b"Content-Length: -1",
    b"Content-Length: 99999999999999999999", b"Content-Length: 2, 2", b"Content-Length: 2, 3",
    b"Content-Length: x", b"Content-Length: 2\r\nContent-Length: 3", b"Content-Length: +2",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked", b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked\r\nContent-Length: 2", b"Transfer-Encoding : chunked",
]  # fmt: skip
BODIES = [
    b"", b"{}", b"{}}}", b"0\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nX: y\r\n\r\n",
    b"2;ext=1\r\n{}\r\n0\r\n\r\n", b"g\r\n", b"-2\r\n{}", b"2\r\n{}0\r\n\r\n", b"2\n{}\n0\n\n",
    b"FFFFFFFFFFFFFFFFFF\r\n", b"00000000000000000002\r\n{}\r\n0\r\n\r\n", b"\r\n" * 40,
    b'b\r\n{"Image":""\r\n', b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n", b"x" * 20_000,
]  # fmt: skip

lines = st.sampled_from([b"\r\n"] * 9 + [b"\n", b"\r", b"\r\n\r\n"])


@st.composite
def requests(draw):
    """Generate a request, most of whose parts are well formed."""
    end = draw(lines)
    first = [draw(st.sampled_from(part)) for part in (METHODS[:7] * 3 + METHODS, TARGETS, VERSIONS)]
    head = [b" ".join(first), b"Host: x"]
    head += draw(st.lists(st.sampled_from(HEADERS), max_size=3))
    head += draw(st.lists(st.sampled_from(FRAMINGS), max_size=2))
    return end.join(head) + end + end + draw(st.sampled_from(BODIES))


@st.composite
def streams(draw):
    """Generate the pieces that a client sends on one connection, with errors in some of them."""
    data = b"".join(draw(st.lists(st.one_of(requests(), st.binary(max_size=40)), max_size=3)))
    if data and draw(st.booleans()):
        at = draw(st.integers(0, min(len(data), 400)))
        spoilt = draw(st.sampled_from(["cut", "insert", "replace"]))
        added = b"" if spoilt == "cut" else draw(st.binary(max_size=3))
        data = data[:at] + added + (b"" if spoilt == "cut" else data[at + (spoilt != "insert") :])
    at = draw(st.integers(0, len(data)))
    return [piece for piece in (data[:at], data[at:]) if piece]


#: Sent in any case, for chance sends it rarely, or in a way in which the answer is lost.
MANY_HEADERS = b"GET /_ping HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 1100 + b"\r\n"


@pytest.mark.timeout(900)
def test_after_any_bytes_the_connection_ends_and_the_next_request_is_answered(target, fuzz):
    seen = set()

    def throw(pieces, end):
        seen.update(target.throw(pieces, end))

    throw([MANY_HEADERS], "shut")
    fuzz(4000, throw, streams(), st.sampled_from(["shut", "shut", "shut", "close", "reset"]))
    assert {200, 400, 404, 431, 501, 505} <= seen
