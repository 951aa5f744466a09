"""Requests on one connection are answered in order; a handler may take the connection over."""

import pytest
import trio

from swarmcore.http.messages import Answer
from tests.component.http.server.peers import HOST


async def test_a_connection_serves_one_request_after_another(connect):
    peer = connect()
    for number in (b"1", b"2", b"3"):
        await peer.ask(b"GET /v1.41/" + number)
        answer = await peer.until(b" \n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"GET /" + number + b" \n")


async def test_pipelined_requests_are_answered_in_order(connect):
    peer = connect()
    requests = [
        b"POST /%d HTTP/1.1\r\n%bContent-Length: 1\r\n\r\n%d" % (n, HOST, n) for n in range(9)
    ]
    await peer.say(b"".join(requests))
    await peer.stream.send_eof()
    answers = (await peer.rest()).split(b"\n")
    assert [line for line in answers if line.startswith(b"POST")] == [
        b"POST /%d %d" % (n, n) for n in range(9)
    ]


async def test_bytes_may_come_one_by_one(connect):
    peer = connect()
    request = (
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    for at in range(len(request)):
        await peer.say(request[at : at + 1])
    assert (await peer.until(b"abc\n")).endswith(b"POST /a abc\n")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/v1.41/containers/n1%2Fweb/json", "/containers/n1/web/json"),
        (b"//containers//web/json", "/containers/web/json"),
        (b"/v1.41//containers/web/json", "/containers/web/json"),
        (b"http://manager/_ping", "/_ping"),
        (b"/_ping?x=/v1.2/", "/_ping"),
        (b"/v1.41", "/v1.41"),
    ],
    ids=str,
)
async def test_a_target_is_read_into_a_path(connect, target, path):
    peer = connect()
    await peer.ask(b"GET " + target)
    assert (await peer.until(b" \n")).endswith(f"GET {path} \n".encode())


async def test_http_1_0_gets_its_own_version_and_the_end(connect):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(b"one\n")
            await send(b"two\n")

    peer = connect(handler)
    await peer.say(b"GET / HTTP/1.0\r\n\r\n")
    head, _, body = (await peer.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK")
    assert b"chunked" not in head
    assert body == b"one\ntwo\n"


async def test_a_stream_is_one_chunk_for_each_send_at_once(connect):
    go_on = trio.Event()

    async def handler(exchange):
        async with exchange.stream(200, ((b"Content-Type", b"text/plain"),)) as send:
            await send(b"first")
            await go_on.wait()
            await send(b"second")

    peer = connect(handler)
    await peer.ask(b"GET /")
    head = await peer.until(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert await peer.until(b"first\r\n") == b"5\r\nfirst\r\n"
    go_on.set()
    assert await peer.until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"
    await peer.ask(b"GET /")  # and the connection lives on
    await peer.until(b"0\r\n\r\n")


async def test_head_gets_the_length_and_no_body(connect):
    peer = connect()
    await peer.ask(b"HEAD /a")
    await peer.ask(b"GET /b")
    answers = await peer.until(b"GET /b \n")
    assert answers.count(b"Content-Length: 9\r\n") == 1
    assert b"HEAD /a" not in answers


async def test_a_status_without_body_has_no_length(connect):
    async def handler(exchange):
        await exchange.send(Answer(204))

    peer = connect(handler)
    await peer.ask(b"POST /")
    assert b"Content-Length" not in await peer.until(b"\r\n\r\n")


async def test_a_client_that_wants_to_close_is_told_that_it_will(connect):
    peer = connect()
    await peer.ask(b"GET /", b"Connection: close")
    assert b"\r\nConnection: close\r\n" in await peer.rest()


# ---- taking over


async def test_a_connection_can_be_taken_over_early_bytes_first(connect):
    async def handler(exchange):
        stream = await exchange.take_over(b"HTTP/1.1 101 UPGRADED\r\n\r\n")
        while data := await stream.receive_some():
            await stream.send_all(data.upper())
        await stream.send_all(b"!")
        await stream.send_eof()

    peer = connect(handler)
    await peer.ask(b"POST /attach", b"Upgrade: tcp", b"Connection: Upgrade", body=b"early ")
    assert await peer.until(b"\r\n\r\n") == b"HTTP/1.1 101 UPGRADED\r\n\r\n"
    await peer.say(b"late")
    await peer.stream.send_eof()
    assert await peer.rest() == b"EARLY LATE!"


async def test_a_bare_200_can_be_written(connect):
    async def handler(exchange):
        stream = await exchange.take_over(b"HTTP/1.1 200 OK\r\n\r\n")
        await stream.send_all(b"\x01\0\0\0\0\0\0\x02hi")

    peer = connect(handler)
    await peer.ask(b"POST /attach")
    assert await peer.rest() == b"HTTP/1.1 200 OK\r\n\r\n\x01\0\0\0\0\0\0\x02hi"
