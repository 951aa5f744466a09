"""Whole answers and lines, over real sockets, from an engine that says what a test wants."""

import gzip
import random
import re
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trustme

from swarmcore.addresses import Address
from swarmcore.errors import BadRequest, Conflict, EngineError, EngineUnreachable
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.client import client as module
from swarmcore.http.tls import TLSListener, TLSStream, client_context, server_context
from swarmcore.model import TLSFiles

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_AND_CLOSE = OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def is_whole(request):
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) == int(length[1] if length else 0)


class ScriptedEngine:
    """Answers each request by the next script, the last one for all that follow.

    A script is what to send, or an async function of the stream; a connection is closed after a
    script that returns ``False``.
    """

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.seen = []
        self.connections = 0
        self.open = 0
        self.most = 0

    async def serve(self, stream):
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            async with stream:
                if isinstance(stream, TLSStream):
                    await stream.do_handshake()
                while await self._serve_one(stream):
                    pass
        except trio.BrokenResourceError:
            pass
        finally:
            self.open -= 1

    async def _serve_one(self, stream):
        seen = b""
        while not is_whole(seen):
            data = await stream.receive_some()
            if not data:
                return False
            seen += data
        self.seen.append(seen)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if isinstance(script, bytes):
            await stream.send_all(script)
            return True
        return await script(stream) is not False


async def hang_up(stream):
    return False


async def answer_and_close(stream):
    await stream.send_all(OK)
    return False


async def wait_for_the_client(stream):
    while await stream.receive_some():
        pass
    return False


@asynccontextmanager
async def asking(engine):
    """A client of *engine*."""
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, engine.serve, 0, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        client = HTTPClient(Dialer(Address("tcp", "127.0.0.1", port)))
        yield client
        await client.aclose()
        nursery.cancel_scope.cancel()


# ---- what is asked


async def asked(method="GET", target="/_ping", **arguments):
    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        await client.request(method, target, **arguments)
    head, _, body = engine.seen[0].partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    return first, headers, body


async def test_a_get_is_no_more_than_it_must_be():
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
async def test_a_target_that_cannot_be_sent_is_the_askers_fault(target):
    with pytest.raises(BadRequest):
        await HTTPClient(Dialer(Address("tcp", "127.0.0.1", 9))).request("GET", target)


async def test_a_header_that_cannot_be_sent_is_the_askers_fault():
    with pytest.RaisesGroup(pytest.RaisesExc(BadRequest)):
        await asked(headers=((b"X-A", b"1\r\nX-B: 2"),))


# ---- what is answered


async def answer_to(*scripts, method="GET"):
    async with asking(ScriptedEngine(*scripts)) as client:
        return await client.request(method, "/x")


async def test_an_answer_is_whole_with_headers_as_they_came():
    got = await answer_to(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n{}")
    assert (got.status, got.body) == (200, b"{}")
    assert (b"Api-Version", b"1.41") in got.headers


@pytest.mark.parametrize("status", [301, 304, 404, 409, 500, 503])
async def test_a_status_is_an_answer_and_no_error(status):
    head = b"HTTP/1.1 %d Any\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n" % status
    assert (await answer_to(head)).status == status


async def test_chunks_are_joined():
    assert (await answer_to(CHUNKED + chunk(b"a") + chunk(b"b") + b"0\r\n\r\n")).body == b"ab"


async def test_a_body_is_not_decoded():
    packed = gzip.compress(b"text")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert (await answer_to(head + packed)).body == packed


async def test_an_answer_beyond_the_limit_is_refused_and_its_connection_closed(monkeypatch):
    monkeypatch.setattr(module, "_BODY_LIMIT", 1000)
    engine = ScriptedEngine(CHUNKED + chunk(b"x" * 700) * 5, OK)
    async with asking(engine) as client:
        with pytest.raises(EngineError, match="the answer to GET /x is over"):
            await client.request("GET", "/x")
        assert (await client.request("GET", "/x")).body == b"ok"
    assert engine.connections == 2


# ---- connections


async def test_a_connection_is_kept_for_the_next_call():
    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        for _ in range(3):
            await client.request("POST", "/x")
    assert engine.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_the_engine_closed_is_not_used(method):
    engine = ScriptedEngine(answer_and_close, OK)
    async with asking(engine) as client:
        await client.request("GET", "/1")
        while engine.open:
            await trio.lowlevel.checkpoint()
        assert (await client.request(method, "/2")).body == b"ok"
    assert len(engine.seen) == 2


async def test_a_get_that_meets_a_dying_connection_is_asked_once_more():
    engine = ScriptedEngine(OK, hang_up, OK)
    async with asking(engine) as client:
        await client.request("GET", "/1")
        assert (await client.request("GET", "/2")).body == b"ok"
    assert engine.connections == 2


async def test_once_one_kept_connection_was_dead_no_other_is_trusted():
    together = []
    met = trio.Event()

    async def answer_together(stream):
        together.append(stream)
        if len(together) == 3:
            met.set()
        await met.wait()
        await stream.send_all(OK)

    engine = ScriptedEngine(*[answer_together] * 3, hang_up, OK)
    async with asking(engine) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client.request, "GET", "/1")
        assert (await client.request("GET", "/2")).body == b"ok"
    assert engine.connections == 4


async def test_what_may_have_been_done_is_not_asked_twice():
    engine = ScriptedEngine(OK, hang_up)
    async with asking(engine) as client:
        await client.request("GET", "/1")
        with pytest.raises(
            EngineUnreachable, match=r"^engine 127\.0\.0\.1:\d+: the connection"
        ) as caught:
            await client.request("POST", "/2")
    assert caught.value.sent
    assert len(engine.seen) == 2


async def test_what_is_not_permitted_at_the_last_moment_is_not_sent():
    connected = []

    def refuse():
        connected.append(engine.connections)
        raise Conflict("not any more")

    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        await client.request("GET", "/_ping")
        for _ in range(2):
            with pytest.raises(Conflict, match="not any more"):
                await client.request("POST", "/containers/create", body=b"{}", permit=refuse)
        await client.request("POST", "/containers/create", body=b"{}", permit=lambda: None)
    assert len(engine.seen) == 2
    assert len(connected) == 2


async def test_a_refused_connection_is_told_as_not_sent(closed_port):
    client = HTTPClient(Dialer(Address("tcp", "127.0.0.1", closed_port)))
    with pytest.raises(EngineUnreachable, match="Is the docker daemon running") as caught:
        await client.request("POST", "/x")
    assert not caught.value.sent


async def test_a_client_that_was_closed_says_so():
    async with asking(ScriptedEngine(OK)) as client:
        pass
    with pytest.raises(EngineUnreachable, match="has left the cluster") as caught:
        await client.request("POST", "/x")
    assert not caught.value.sent


async def cut_short(stream):
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    return False


@pytest.mark.parametrize(
    "script", [cut_short, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], ids=["cut short", "not HTTP"]
)
async def test_what_is_no_whole_answer_is_none(script):
    with pytest.RaisesGroup(pytest.RaisesExc(EngineUnreachable, check=lambda e: e.sent)):
        await answer_to(script)


# ---- many calls


async def test_calls_beyond_32_wait_for_their_turn():
    engine = ScriptedEngine(OK)
    async with asking(engine) as client, trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(client.request, "GET", "/x")
    assert len(engine.seen) == 100
    assert engine.most <= 32


async def test_calls_that_are_given_up_at_any_moment_cost_no_place(monkeypatch):
    monkeypatch.setattr(module, "_CALLS", 4)
    moments = random.Random(1)

    async def give_up(client):
        with trio.move_on_after(moments.random() / 50):
            await client.request("POST", "/x")

    async with asking(ScriptedEngine(OK_AND_CLOSE)) as client:
        for _ in range(20):
            async with trio.open_nursery() as nursery:
                for _ in range(60):
                    nursery.start_soon(give_up, client)
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for _ in range(8):
                    nursery.start_soon(client.request, "GET", "/x")


async def test_abandoning_ends_calls_under_way_waiting_calls_and_lines(monkeypatch):
    monkeypatch.setattr(module, "_CALLS", 1)
    ended = []

    async def ask(client):
        with pytest.raises(EngineUnreachable, match="does not answer any more"):
            await client.request("GET", "/x")
        ended.append("call")

    async def follow_on(client):
        async with client.lines("/events") as lines:
            assert await anext(lines) == b"1"
            following.set()
            await trio.sleep_forever()

    async def follow_events(client):
        with pytest.raises(EngineUnreachable, match="does not answer any more"):
            await follow_on(client)
        ended.append("lines")

    following = trio.Event()
    engine = ScriptedEngine(endless, wait_for_the_client)
    async with asking(engine) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow_events, client)
            await following.wait()
            for _ in range(3):
                nursery.start_soon(ask, client)
            while len(engine.seen) < 2:
                await trio.lowlevel.checkpoint()
            client.abandon()
        assert sorted(ended) == ["call", "call", "call", "lines"]
        with trio.fail_after(60):
            while engine.open:
                await trio.lowlevel.checkpoint()


# ---- events


async def follow(*scripts):
    got = []
    async with asking(ScriptedEngine(*scripts)) as client, client.lines("/events") as lines:
        async for line in lines:
            got.append(line)
    return got


async def test_lines_are_cut_at_newlines_wherever_the_pieces_end():
    pieces = [b'{"a"', b':1}\n{"b":2}\n\n', b'{"c":3}\n', b"\n"]
    assert await follow(CHUNKED + b"".join(map(chunk, pieces)) + b"0\r\n\r\n") == [
        b'{"a":1}',
        b'{"b":2}',
        b'{"c":3}',
    ]


async def test_a_line_arrives_when_it_was_sent():
    go_on = trio.Event()

    async def slowly(stream):
        await stream.send_all(CHUNKED + chunk(b"1\n"))
        await go_on.wait()
        await stream.send_all(chunk(b"2\n") + b"0\r\n\r\n")

    async with asking(ScriptedEngine(slowly)) as client, client.lines("/events") as lines:
        assert await anext(lines) == b"1"
        go_on.set()
        assert await anext(lines) == b"2"


async def break_off(stream):
    await stream.send_all(CHUNKED + chunk(b"1\n"))
    return False


async def test_a_stream_that_breaks_is_not_taken_for_one_that_ended():
    with pytest.RaisesGroup(pytest.RaisesExc(EngineUnreachable, match="ended before the answer")):
        await follow(break_off)


async def test_a_line_without_end_is_an_error():
    with pytest.RaisesGroup(pytest.RaisesExc(EngineError, match="a line over 1 MiB")):
        await follow(CHUNKED + chunk(b"x" * 1_100_000))


async def test_an_engine_that_has_no_events_is_an_error():
    with pytest.RaisesGroup(pytest.RaisesExc(EngineError, match="GET /events: status 404")):
        await follow(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


async def endless(stream):
    await stream.send_all(CHUNKED + chunk(b"1\n") + chunk(b"2\n"))
    return await wait_for_the_client(stream)


@pytest.mark.parametrize("how", ["leaving", "cancelling", "raising"])
async def test_a_stream_can_be_left_in_the_middle_and_its_connection_is_closed(how):
    engine = ScriptedEngine(endless)
    async with asking(engine) as client:
        try:
            with trio.CancelScope() as scope:
                async with client.lines("/events") as lines:
                    assert await anext(lines) == b"1"
                    if how == "cancelling":
                        scope.cancel()
                        await anext(lines)
                        await anext(lines)
                    if how == "raising":
                        raise KeyError
        except KeyError:
            pass
        with trio.fail_after(60):
            while engine.open:
                await trio.lowlevel.checkpoint()


async def test_following_events_takes_no_calls_turn(monkeypatch):
    monkeypatch.setattr(module, "_CALLS", 1)
    engine = ScriptedEngine(endless, OK)
    async with asking(engine) as client, client.lines("/events"):
        with trio.fail_after(60):
            assert (await client.request("GET", "/x")).body == b"ok"


# ---- ways


@pytest.mark.parametrize("way", ["tls", "unix"])
async def test_the_way_to_an_engine_makes_no_difference(way, tmp_path, nursery):
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
