"""The server against clients that are in order, slow, rude, or gone."""

import json
import logging
from functools import partial

import pytest
import trio
import trio.testing

from swarmcore.errors import Conflict
from swarmcore.http.messages import Answer
from swarmcore.http.server import Limits, Server

HOST = b"Host: manager\r\n"


class Peer:
    """A client of raw bytes."""

    def __init__(self, stream):
        self.stream = stream
        self.seen = b""

    async def say(self, *pieces):
        for piece in pieces:
            await self.stream.send_all(piece)

    async def ask(self, line, *headers, body=b""):
        lines = b"".join(header + b"\r\n" for header in headers)
        await self.say(line + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body)

    async def goes_on(self, data, times):
        """Say *data* every second; returns how often before the server had enough."""
        for count in range(times):
            try:
                await self.say(data)
            except trio.BrokenResourceError:
                return count
            await trio.sleep(1)
        return times

    async def until(self, end):
        """Everything up to and including *end*."""
        while end not in self.seen:
            data = await self.stream.receive_some()
            assert data, f"the server closed after {self.seen!r}"
            self.seen += data
        text, self.seen = self.seen[: self.seen.index(end) + len(end)], self.seen.split(end, 1)[1]
        return text

    async def rest(self):
        """Everything up to the server's end."""
        while data := await self.stream.receive_some():
            self.seen += data
        return self.seen


class MemoryListener(trio.abc.Listener):
    """Connections in memory: the mock clock can be trusted with them."""

    def __init__(self):
        self._send, self._receive = trio.open_memory_channel(100)

    async def connect(self):
        ours, theirs = trio.testing.memory_stream_pair()
        await self._send.send(theirs)
        return Peer(ours)

    async def accept(self):
        return await self._receive.receive()

    async def aclose(self):
        await self._receive.aclose()


async def echo(exchange):
    """Tells what it was asked."""
    body = await exchange.read_body()
    text = f"{exchange.request.method} {exchange.request.path} {body.decode()}\n"
    await exchange.send(Answer(200, (), text.encode()))


@pytest.fixture
def connect(nursery):
    """Opens a connection to a server with the given handler."""

    def connect(handler=echo, **limits):
        ours, theirs = trio.testing.memory_stream_pair()
        server = Server(handler, limits=Limits(**limits))
        nursery.start_soon(server.serve_connection, theirs)
        return Peer(ours)

    return connect


def message(answer):
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])["message"]


# ---- requests and answers


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


# ---- bodies


async def test_100_continue_is_sent_when_the_body_is_asked_for(connect):
    asked, sent = trio.Event(), trio.Event()

    async def handler(exchange):
        await asked.wait()
        sent.set()
        await echo(exchange)

    peer = connect(handler)
    await peer.ask(b"POST /", b"Expect: 100-continue", b"Content-Length: 4")
    await trio.testing.wait_all_tasks_blocked()
    assert not sent.is_set()
    asked.set()
    assert await peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await peer.say(b"body")
    assert (await peer.until(b"body\n")).startswith(b"HTTP/1.1 200 OK")
    await peer.ask(b"GET /next")
    await peer.until(b"/next \n")


async def test_100_continue_does_not_come_after_an_answer_has_begun(connect):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(await exchange.read_body())

    peer = connect(handler)
    await peer.ask(b"POST /", b"Expect: 100-continue", b"Content-Length: 4")
    assert (await peer.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    await peer.say(b"body")
    assert await peer.until(b"0\r\n\r\n") == b"4\r\nbody\r\n0\r\n\r\n"


async def test_a_refusal_before_the_body_needs_no_body_and_ends_the_connection(connect):
    async def handler(exchange):
        raise Conflict("no room")

    peer = connect(handler)
    await peer.ask(b"POST /", b"Expect: 100-continue", b"Content-Length: 4")
    await peer.stream.send_eof()
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"Connection: close" in answer
    assert b"100 Continue" not in answer


async def test_a_body_that_nobody_read_does_not_become_a_request(connect):
    async def handler(exchange):
        await exchange.send(Answer(200, (), exchange.request.path.encode()))

    peer = connect(handler)
    await peer.say(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n01234")
    await peer.until(b"/a")
    await peer.say(b"56789GET /b HTTP/1.1\r\n" + HOST + b"\r\n")
    assert (await peer.until(b"/b")).endswith(b"\r\n\r\n/b")


async def test_an_endless_body_that_nobody_reads_ends_with_the_connection(connect, autojump_clock):
    async def handler(exchange):
        await exchange.send(Answer(200))

    peer = connect(handler)
    await peer.ask(b"POST /", b"Transfer-Encoding: chunked")
    await peer.until(b"\r\n\r\n")
    assert await peer.goes_on(b"10000\r\n" + b"x" * 65536 + b"\r\n", times=100) < 10


async def test_json_is_read_by_its_rules(connect):
    async def handler(exchange):
        await exchange.send_json(await exchange.read_json())

    peer = connect(handler)
    kind = b"Content-Type: application/json"
    await peer.ask(b"POST /", kind, b"Content-Length: 7", body=b'{"a":1}')
    assert (await peer.until(b"}\n")).endswith(b'{"a":1}\n')
    await peer.ask(b"POST /", kind, b"Content-Length: 13", body=b'{"a":1,"A":2}')
    assert message(await peer.until(b"}\n")) == "invalid JSON: 'A' is given twice"


async def test_a_body_above_the_limit_is_413(connect):
    peer = connect(parsed_body_bytes=1000)
    await peer.ask(b"POST /", b"Content-Length: 2000", body=b"x" * 2000)
    answer = await peer.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "larger than 1000 bytes" in message(answer)


async def test_a_body_that_does_not_come_is_not_waited_for(connect, autojump_clock):
    peer = connect()
    await peer.ask(b"POST /", b"Content-Length: 5", body=b"ab")
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "within 60 seconds" in message(answer)


async def test_a_malformed_chunk_is_400(connect):
    peer = connect()
    await peer.ask(b"POST /", b"Transfer-Encoding: chunked", body=b"zz\r\nabc")
    assert "malformed request body" in message(await peer.rest())


# ---- input that is wrong


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
async def test_what_is_not_http_gets_a_status_and_a_json_message(
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


async def test_an_idle_connection_lives_for_minutes_and_not_for_ever(connect, autojump_clock):
    peer = connect()
    await peer.ask(b"GET /")
    await peer.until(b" \n")
    await trio.sleep(500)
    await peer.ask(b"GET /")
    await peer.until(b" \n")
    started = trio.current_time()
    assert await peer.rest() == b""
    assert trio.current_time() - started == pytest.approx(600)


# ---- handlers that fail


async def test_an_expected_error_is_its_status_and_text(connect):
    async def handler(exchange):
        raise Conflict("the name is taken")

    peer = connect(handler)
    await peer.ask(b"POST /")
    answer = await peer.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 409 Conflict")
    assert message(answer) == "the name is taken"
    await peer.ask(b"POST /")  # the connection lives on
    await peer.until(b"}\n")


async def test_an_unexpected_error_is_logged_and_not_shown(connect, caplog):
    async def handler(exchange):
        raise ZeroDivisionError("secret detail")

    peer = connect(handler)
    await peer.ask(b"GET /")
    answer = await peer.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in answer
    assert caplog.records[0].exc_info


async def test_a_single_error_in_a_group_is_that_error(connect):
    async def handler(exchange):
        raise ExceptionGroup("from a nursery", [Conflict("taken")])

    peer = connect(handler)
    await peer.ask(b"GET /")
    assert message(await peer.until(b"}\n")) == "taken"


async def test_an_error_after_the_head_cuts_the_answer_off(connect, caplog):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(b"begun")
            raise ZeroDivisionError

    peer = connect(handler)
    await peer.ask(b"GET /")
    assert (await peer.rest()).endswith(b"5\r\nbegun\r\n")
    assert caplog.records


async def test_a_client_that_has_gone_before_the_head_is_no_error(connect, caplog):
    go_on, ended = trio.Event(), trio.Event()

    async def handler(exchange):
        await go_on.wait()
        try:
            async with exchange.stream() as send:
                await send(b"never")
        finally:
            ended.set()

    peer = connect(handler)
    await peer.ask(b"GET /events")
    await trio.testing.wait_all_tasks_blocked()
    await peer.stream.aclose()
    go_on.set()
    await ended.wait()
    await trio.testing.wait_all_tasks_blocked()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_handler_that_forgets_to_answer_is_500(connect, caplog):
    async def handler(exchange):
        pass

    peer = connect(handler)
    await peer.ask(b"GET /")
    assert (await peer.until(b"}\n")).startswith(b"HTTP/1.1 500 ")
    assert "was not answered" in caplog.text


# ---- clients that go


async def test_a_client_that_went_while_it_was_watched_is_due_no_answer(connect, caplog):
    async def handler(exchange):
        async with exchange.watching():
            await trio.sleep_forever()

    peer = connect(handler)
    await peer.ask(b"GET /")
    await peer.stream.send_eof()
    assert await peer.rest() == b""
    assert not caplog.records


@pytest.mark.parametrize("half", [True, False], ids=["shuts its side", "closes"])
async def test_a_client_that_goes_cancels_what_streams_to_it(connect, half, caplog):
    caplog.set_level(logging.INFO)
    ended = trio.Event()

    async def handler(exchange):
        try:
            async with exchange.stream() as send:
                await send(b"x")
                await trio.sleep_forever()
        finally:
            ended.set()

    peer = connect(handler)
    await peer.ask(b"GET /events")
    await peer.until(b"x\r\n")
    if half:
        await peer.stream.send_eof()
    else:
        await peer.stream.aclose()
    await ended.wait()
    assert caplog.records == []


async def test_what_a_client_sends_while_it_is_served_is_the_next_request(connect):
    go_on = trio.Event()

    async def handler(exchange):
        if exchange.request.path == "/stream":
            async with exchange.stream() as send:
                await go_on.wait()
                await send(b"streamed")
        else:
            await echo(exchange)

    peer = connect(handler)
    await peer.ask(b"GET /stream")
    await peer.until(b"\r\n\r\n")
    await peer.say(b"POST /next HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nab")
    await trio.testing.wait_all_tasks_blocked()
    go_on.set()
    await peer.say(b"c")
    assert (await peer.until(b"abc\n")).endswith(b"POST /next abc\n")


async def test_a_client_cannot_make_us_remember_what_it_sends_ahead(autojump_clock):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(b"x")
            await trio.sleep_forever()

    ours, theirs = trio.testing.lockstep_stream_pair()
    peer = Peer(ours)
    async with trio.open_nursery() as nursery:
        server = Server(handler, limits=Limits(ahead_bytes=1000))
        nursery.start_soon(server.serve_connection, theirs)
        await peer.ask(b"GET /")
        await peer.until(b"x\r\n")
        await peer.say(b"y" * 1000)
        with trio.move_on_after(1) as blocked:
            await peer.say(b"y" * 1000)
            await peer.say(b"y" * 1000)
        assert blocked.cancelled_caught
        nursery.cancel_scope.cancel()


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


# ---- the whole server


async def test_the_connection_above_the_limit_is_turned_away():
    listener = MemoryListener()
    async with trio.open_nursery() as nursery:
        server = Server(echo, limits=Limits(connections=2))
        await nursery.start(server.run, [listener])
        first, second = await listener.connect(), await listener.connect()
        for peer in (first, second):
            await peer.ask(b"GET /")
            await peer.until(b" \n")
        third = await listener.connect()
        assert (await third.rest()).startswith(b"HTTP/1.1 503 ")
        await first.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert server.connection_count == 1
        fourth = await listener.connect()
        await fourth.ask(b"GET /")
        await fourth.until(b" \n")
        nursery.cancel_scope.cancel()


async def test_a_peer_with_too_many_connections_is_turned_away_and_others_are_not():
    async def ask_from(address):
        stream = trio.SocketStream(trio.socket.socket())
        await stream.socket.bind((address, 0))
        await stream.socket.connect(listeners[0].socket.getsockname())
        peer = Peer(stream)
        await peer.ask(b"GET /")
        return peer

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        server = Server(echo, limits=Limits(peer_connections=2))
        await nursery.start(server.run, listeners)
        peers = [await ask_from("127.0.0.2") for _ in range(2)]
        for peer in peers:
            assert b" 200 OK" in await peer.until(b" \n")
        async with (await ask_from("127.0.0.2")).stream as stream:
            assert (await Peer(stream).until(b"\r\n")).startswith(b"HTTP/1.1 429 ")
        async with (await ask_from("127.0.0.3")).stream as stream:
            assert b" 200 OK" in await Peer(stream).until(b" \n")
        for peer in peers:
            await peer.stream.aclose()
        while server.connection_count:
            await trio.testing.wait_all_tasks_blocked()
        async with (await ask_from("127.0.0.2")).stream as stream:
            assert b" 200 OK" in await Peer(stream).until(b" \n")
        nursery.cancel_scope.cancel()


async def test_stopping_ends_idle_connections_and_lets_requests_finish(autojump_clock):
    async def handler(exchange):
        await trio.sleep(int(exchange.request.path[1:]))
        await echo(exchange)

    listener = MemoryListener()
    async with trio.open_nursery() as nursery:
        server = Server(handler, grace_seconds=10)
        await nursery.start(server.run, [listener])
        idle, quick, slow = [await listener.connect() for _ in range(3)]
        await quick.ask(b"GET /5")
        await slow.ask(b"GET /100")
        await trio.testing.wait_all_tasks_blocked()
        started = trio.current_time()
        server.stop()
        assert await idle.rest() == b""
        assert trio.current_time() == started
        assert (await quick.rest()).endswith(b"GET /5 \n")
        assert trio.current_time() - started == pytest.approx(5)
        assert await slow.rest() == b""
        assert trio.current_time() - started == pytest.approx(10)


async def test_stopping_returns_as_soon_as_nothing_is_left(autojump_clock):
    listener = MemoryListener()
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        server = Server(echo, grace_seconds=10)
        await nursery.start(partial(server.run, [listener]))
        await listener.connect()
        server.stop()
    assert trio.current_time() == started
