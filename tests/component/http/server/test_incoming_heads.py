"""Heads that are malformed, too large, too slow, or missing."""

import pytest
import trio

from tests.component.http.server.peers import message


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /?" + b"&" * 10_001 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 1001 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * (1 << 20) + b"z" * 100, 431),
    ],
    ids=[
        "nonsense", "a TLS hello", "no host", "a space in a name", "not ASCII", "a bad length",
        "an unknown coding", "HTTP/2", "too many parameters", "too many headers", "a huge head",
    ],
)  # fmt: skip
async def test_invalid_http_gets_a_status_and_a_json_message(
    connect, request_bytes, status, caplog
):
    peer = connect()
    await peer.say(request_bytes)
    await peer.stream.send_eof()
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert message(answer)
    assert "Traceback" not in answer.decode()
    assert caplog.records == []


async def test_300_kb_of_headers_are_fine(connect):
    peer = connect()
    await peer.ask(b"GET /", b"X-Registry-Config: " + b"a" * 300_000)
    await peer.until(b"GET / \n")


@pytest.mark.parametrize("said", [b"G", b"GET / HTTP/1.1\r\nX-"], ids=["a byte", "half a head"])
async def test_a_head_that_does_not_end_is_cut_off(connect, autojump_clock, said):
    peer = connect()
    await peer.say(said)
    started = trio.current_time()
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert trio.current_time() - started < 30


async def test_a_slow_head_is_cut_off_though_bytes_keep_coming(connect, autojump_clock):
    peer = connect()
    await peer.say(b"GET / HTTP/1.1\r\n")
    assert await peer.goes_on(b"X: y\r\n", times=100) < 30
