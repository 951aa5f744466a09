"""A request handed on: a raw client, our server, and an engine played by a script."""

import contextlib
import json
import logging

import pytest
import trio
import trio.testing

from swarmcore.addresses import parse_address
from swarmcore.errors import EngineUnreachable, NotFound
from swarmcore.http.client import HTTPClient
from swarmcore.http.messages import Answer, json_answer
from swarmcore.http.proxy import relay
from swarmcore.http.server import Server
from swarmcore.node import Node
from swarmcore.protocols import ResponseHooks
from swarmcore.versions import ApiVersion

HOST = b"Host: manager\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class ScriptedEngine:
    """What ``relay`` needs of an engine; *script* plays each connection."""

    def __init__(self, nursery, script, speaks=((1, 12), (1, 41))):
        self.node = Node("id", "engine:2375")
        self.node.min_api_version, self.node.api_version = (ApiVersion(*each) for each in speaks)
        self.address = parse_address("engine:2375")
        self.http = HTTPClient(self, "n1")
        self.contacts = 0
        self.errors = []
        self.closed = trio.Event()
        self._nursery = nursery
        self._script = script

    async def dial(self):
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._play, theirs)
        return ours

    async def _play(self, stream):
        async with stream:
            await self._script(Wire(stream))
        self.closed.set()

    def contacted(self):
        self.contacts += 1

    def lost_contact(self, error):
        self.errors.append(error)


class Wire:
    """One end of a connection."""

    def __init__(self, stream):
        self.stream = stream
        self.seen = b""

    async def say(self, data):
        await self.stream.send_all(data)

    async def ask(self, line, *headers, body=b""):
        lines = b"".join(header + b"\r\n" for header in headers)
        await self.say(line + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body)

    async def until(self, end):
        """Everything up to and including *end*."""
        while end not in self.seen:
            data = await self.stream.receive_some()
            assert data, f"closed after {self.seen!r}"
            self.seen += data
        text, _, self.seen = self.seen.partition(end)
        return text + end

    async def head(self):
        return await self.until(b"\r\n\r\n")

    async def rest(self):
        """Everything up to the end."""
        while data := await self.stream.receive_some():
            self.seen += data
        return self.seen


@pytest.fixture
def through(nursery):
    """A client whose every request is relayed to an engine that a script plays."""

    def through(script, path=None, handler=None, speaks=((1, 12), (1, 41)), **options):
        engine = ScriptedEngine(nursery, script, speaks)

        async def hand_on(exchange):
            target = path or exchange.request.path
            await relay(exchange, engine, target, announced=ApiVersion(1, 40), **options)

        async def handle(exchange):
            exchange.common_headers = ((b"Api-Version", b"1.40"), (b"Ostype", b"linux"))
            await (handler(exchange, engine) if handler else hand_on(exchange))

        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(Server(handle).serve_connection, theirs)
        return Wire(ours), engine

    return through


def answering(text, heard=None):
    """A script that answers every request with *text*, and notes what it heard in *heard*."""

    async def script(wire):
        while True:
            while b"\r\n\r\n" not in wire.seen:
                data = await wire.stream.receive_some()
                if not data:
                    return
                wire.seen += data
            request = await wire.head()
            if heard is not None:
                heard.append(request)
            await wire.say(text)

    return script


# ---- heads


@pytest.mark.parametrize(
    ("asked", "speaks", "sent"),
    [
        (b"/v1.30/info", ((1, 12), (1, 41)), b"/v1.30/info"),
        (b"/info", ((1, 12), (1, 51)), b"/v1.40/info"),
        (b"/v1.51/info", ((1, 12), (1, 41)), b"/v1.41/info"),
        (b"/v1.32/info", ((1, 44), (1, 52)), b"/v1.44/info"),
        (b"/info", ((1, 44), (1, 52)), b"/v1.44/info"),
    ],
    ids=["the client's", "the announced", "the engine's newest", "the engine's oldest", "both"],
)
async def test_the_engine_is_asked_in_a_version_that_it_speaks(through, asked, speaks, sent):
    heard = []
    client, engine = through(answering(OK, heard), speaks=speaks)
    await client.ask(b"GET " + asked)
    await client.until(b"ok")
    assert heard[0].startswith(b"GET " + sent + b" HTTP/1.1\r\nHost: docker\r\n")
    assert engine.contacts == 1


async def test_heads_go_both_ways_as_they_came(through):
    heard = []
    answer = (
        b"HTTP/1.1 200 Fine\r\nApi-Version: 1.41\r\nserver: Docker/20.10\r\nOstype: windows\r\n"
        b"X-Docker-Container-Path-Stat: e30=\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    )
    client, _ = through(answering(answer, heard))
    await client.ask(b"GET /info", b"X-Meta: 1", b"x-meta: 2", b"Connection: X-Hop", b"X-Hop: 1")
    assert heard == []
    head = await client.head()
    assert heard[0].endswith(b"Host: docker\r\nX-Meta: 1\r\nx-meta: 2\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 Fine\r\nserver: Docker/20.10\r\nOstype: windows\r\n")
    assert b"X-Docker-Container-Path-Stat: e30=\r\n" in head
    assert head.count(b"Api-Version") == head.count(b"Api-Version: 1.40") == 1
    assert head.count(b"Ostype") == 1
    assert b"Connection" not in head


async def test_a_post_without_body_says_so_and_is_never_chunked(through):
    heard = []
    client, _ = through(answering(b"HTTP/1.1 204 No Content\r\n\r\n", heard))
    await client.ask(b"POST /start")
    await client.head()
    await client.ask(b"POST /start", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    await client.head()
    await client.say(b"POST /start HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await client.say(b"0\r\n\r\n")
    await client.head()
    assert len(heard) == 3
    for request in heard:
        assert b"\r\nContent-Length: 0\r\n" in request
        assert b"chunked" not in request


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["204", "304", "empty"],
)
async def test_answers_without_body_are_whole(through, answer):
    client, _ = through(answering(answer))
    for _ in range(2):
        await client.ask(b"POST /start")
        assert (await client.head()).startswith(answer.partition(b"\r\n")[0])
    assert client.seen == b""


async def test_head_is_answered_without_the_body_that_its_length_speaks_of(through):
    client, _ = through(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 61\r\n\r\n"))
    for _ in range(2):
        await client.ask(b"HEAD /archive")
        assert b"Content-Length: 61\r\n" in await client.head()


# ---- bodies


async def test_a_chunked_body_goes_on_chunk_by_chunk_as_it_comes(through):
    async def script(wire):
        assert b"Transfer-Encoding: chunked\r\n" in await wire.head()
        await wire.until(b"3\r\none\r\n")
        await wire.say(b"HTTP/1.1 100 Continue\r\n\r\n")  # ignored: nobody asked for it
        await wire.until(b"0\r\n\r\n")
        await wire.say(OK)

    client, _ = through(script)
    await client.ask(b"PUT /archive", b"Transfer-Encoding: chunked", body=b"3\r\none\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await client.say(b"3\r\ntwo\r\n0\r\n\r\n")
    await client.until(b"ok")


async def test_a_body_with_a_length_keeps_it(through):
    async def script(wire):
        assert b"Content-Length: 6\r\n" in await wire.head()
        await wire.until(b"onetwo")
        await wire.say(OK)

    client, _ = through(script)
    await client.ask(b"PUT /archive", b"Content-Length: 6", body=b"one")
    await client.say(b"two")
    await client.until(b"ok")


async def test_a_body_can_be_replaced(through):
    async def script(wire):
        head = await wire.head()
        assert b"Content-Length: 7\r\n" in head
        assert b"Expect" not in head
        await wire.until(b'{"a":2}')
        await wire.say(OK)

    async def handler(exchange, engine):
        read = await exchange.read_json()
        body = json.dumps({"a": read["a"] + 1}, separators=(",", ":")).encode()
        await relay(exchange, engine, "/create", announced=ApiVersion(1, 40), body=body)

    client, _ = through(script, handler=handler)
    kind = b"Content-Type: application/json"
    await client.ask(b"POST /create", kind, b"Content-Length: 9", b"Expect: 100-continue")
    await client.until(b"100 Continue\r\n\r\n")
    await client.say(b'{"a" : 1}')
    await client.until(b"ok")


async def test_a_body_that_the_handler_has_read_goes_on_all_the_same(through):
    async def script(wire):
        await wire.head()
        await wire.until(b'{"Detach":true}')
        await wire.say(OK)

    async def handler(exchange, engine):
        await exchange.read_body()
        await relay(exchange, engine, "/exec/1/start", announced=ApiVersion(1, 40))

    client, _ = through(script, handler=handler)
    await client.ask(b"POST /", b"Content-Length: 15", body=b'{"Detach":true}')
    await client.until(b"ok")


async def test_the_engine_decides_whether_a_client_may_send_its_body(through):
    go_on = trio.Event()

    async def script(wire):
        assert b"Expect: 100-continue\r\n" in await wire.head()
        await go_on.wait()
        await wire.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        await wire.until(b"body")
        await wire.say(OK)

    client, _ = through(script)
    await client.ask(b"PUT /archive", b"Content-Length: 4", b"Expect: 100-continue")
    await trio.testing.wait_all_tasks_blocked()
    go_on.set()
    assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.say(b"body")
    await client.until(b"ok")


async def test_a_client_may_leave_before_its_body_is_asked_for(through):
    ended = trio.Event()

    async def script(wire):
        assert b"Expect: 100-continue\r\n" in await wire.head()
        assert await wire.stream.receive_some(1) == b""
        ended.set()

    client, _ = through(script)
    expecting = [b"Content-Length: 4", b"Expect: 100-continue", b"Connection: expect"]
    await client.ask(b"PUT /archive", *expecting)
    await trio.testing.wait_all_tasks_blocked()
    await client.stream.aclose()
    with trio.fail_after(5):
        await ended.wait()


@pytest.mark.parametrize("upgrade", [b"Connection: Upgrade\r\nUpgrade: tcp", b"Upgrade: tcp"])
async def test_a_stream_that_was_not_hijacked_ends_with_its_client(through, upgrade):
    """Whatever the client had offered: `wait` and `logs -f` are no hijacks."""
    ended = trio.Event()

    async def script(wire):
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert await wire.stream.receive_some(1) == b""
        ended.set()

    client, _ = through(script)
    await client.ask(b"POST /containers/web/wait", upgrade, b"Content-Length: 0")
    await client.head()
    await client.stream.aclose()
    with trio.fail_after(5):
        await ended.wait()


async def test_an_engine_that_refuses_a_body_is_heard_before_it_is_sent(through):
    refusal = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    client, _ = through(answering(refusal))
    await client.ask(b"PUT /archive", b"Content-Length: 4", b"Expect: 100-continue")
    head = await client.head()
    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"Connection: close" in head
    await client.stream.send_eof()
    assert await client.rest() == b"no"


async def test_a_final_answer_during_the_upload_stops_it(through):
    refusal = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nfull"
    client, engine = through(answering(refusal))
    await client.ask(b"POST /load", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
    await client.until(b"full")
    await engine.closed.wait()
    await client.say(b"3\r\nabc\r\n")  # it may be sending still
    await client.stream.send_eof()
    assert await client.rest() == b""


async def test_output_comes_while_the_input_is_still_going(through):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        for _ in range(3):
            await wire.until(b"\r\nin\r\n")
            await wire.say(b"3\r\nout\r\n")
        await wire.until(b"0\r\n\r\n")
        await wire.say(b"0\r\n\r\n")

    client, _ = through(script)
    await client.ask(b"POST /build", b"Transfer-Encoding: chunked")
    for _ in range(3):
        await client.say(b"2\r\nin\r\n")
        await client.until(b"3\r\nout\r\n")
    await client.say(b"0\r\n\r\n")
    await client.until(b"0\r\n\r\n")


async def test_a_malformed_body_is_the_clients_fault_and_ends_the_engines_work(through):
    begun = trio.Event()

    async def script(wire):
        await wire.head()
        await wire.until(b"abc\r\n")
        begun.set()
        await wire.rest()

    client, engine = through(script)
    await client.ask(b"POST /load", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
    await begun.wait()
    await client.say(b"zz\r\n")
    assert (await client.head()).startswith(b"HTTP/1.1 400 ")
    await engine.closed.wait()
    assert engine.errors == []


async def test_a_stream_stays_chunked_with_one_flush_per_read_and_its_trailers(through):
    go_on = trio.Event()

    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        await wire.say(b"4\r\none\n\r\n")
        await go_on.wait()
        await wire.say(b"4\r\ntwo\n\r\n0\r\nX-Sum: 1\r\n\r\n")

    client, _ = through(script)
    await client.ask(b"GET /logs")
    assert b"Transfer-Encoding: chunked\r\n" in await client.head()
    assert await client.until(b"one\n\r\n") == b"4\r\none\n\r\n"
    go_on.set()
    assert await client.until(b"1\r\n\r\n") == b"4\r\ntwo\n\r\n0\r\nX-Sum: 1\r\n\r\n"


async def test_many_small_chunks_that_came_together_go_on_as_one(through):
    """Engines send each line of `docker logs` as a chunk; a send for each would cost a core."""
    line = b"\1\0\0\0\0\0\0\x64" + b"x" * 99 + b"\n"

    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED + b"6c\r\n%b\r\n" % line * 10_000 + b"0\r\n\r\n")

    client, _ = through(script)
    await client.ask(b"GET /logs")
    await client.head()
    sizes = []
    while size := int(await client.until(b"\r\n"), 16):
        while len(client.seen) < size + 2:
            client.seen += await client.stream.receive_some()
        assert client.seen[:size].count(line[:8]) == pytest.approx(size / 108, abs=1)
        client.seen = client.seen[size + 2 :]
        sizes.append(size)
    assert sum(sizes) == 10_000 * 108
    assert len(sizes) <= 6


async def test_the_head_does_not_wait_for_the_body(through):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        await wire.rest()

    client, _ = through(script)
    await client.ask(b"POST /wait")
    assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_http_1_0_gets_the_bare_body_and_the_end(through):
    client, _ = through(answering(CHUNKED + b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"))
    await client.say(b"GET /logs HTTP/1.0\r\n\r\n")
    head = await client.head()
    assert head.startswith(b"HTTP/1.0 200 ")
    assert b"chunked" not in head
    assert await client.rest() == b"one\ntwo\n"


async def test_an_answer_until_the_end_becomes_one_with_an_end(through):
    async def script(wire):
        await wire.head()
        await wire.say(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nNo such container")

    client, _ = through(script)
    await client.ask(b"POST /attach")
    await client.until(b"No such container\r\n0\r\n\r\n")
    await client.ask(b"POST /attach")
    await client.until(b"No such container\r\n0\r\n\r\n")


# ---- on_status and map_response


@pytest.mark.parametrize(
    ("answer", "before"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (OK, b"HTTP/1.1 200 OK"),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (CHUNKED + b"0\r\n\r\n", b"HTTP/1.1 200 OK"),
    ],
    ids=["204", "empty", "length", "chunked", "empty chunked"],
)
async def test_the_cache_settles_before_the_client_can_know_the_end(
    through, answer, before, autojump_clock
):
    settled, go_on = [], trio.Event()

    async def settle(status):
        settled.append(status)
        await go_on.wait()

    client, _ = through(answering(answer), hooks=ResponseHooks(on_status=settle))
    await client.ask(b"POST /start")
    seen = b""
    await trio.testing.wait_all_tasks_blocked()
    with trio.move_on_after(1):
        seen = await client.stream.receive_some()
    assert settled == [int(answer[9:12])]
    assert seen.startswith(before)
    assert bool(seen) == bool(before)  # where there is no body, the head is the end
    assert b"ok" not in seen
    assert not seen.endswith(b"0\r\n\r\n")
    go_on.set()
    client.seen = seen
    await client.ask(b"POST /start", b"Connection: close")
    await client.rest()
    assert len(settled) == 2


async def test_the_cache_may_settle_after_the_last_byte_and_before_the_end(through):
    settled, working, go_on = [], trio.Event(), trio.Event()

    async def settle(status):
        settled.append(status)
        await go_on.wait()

    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED + b"8\r\nstep one\r\n")
        await working.wait()
        await wire.say(b"4\r\ndone\r\n0\r\n\r\n")

    client, _ = through(script, hooks=ResponseHooks(on_status=settle, on_status_at="end"))
    await client.ask(b"POST /build")
    await client.until(b"step one\r\n")
    assert settled == []
    working.set()
    await client.until(b"done\r\n")
    await trio.testing.wait_all_tasks_blocked()
    assert (settled, client.seen) == ([200], b"")
    go_on.set()
    await client.until(b"0\r\n\r\n")


async def test_the_cache_settles_before_a_hijack(through):
    order = []

    async def settle(status):
        order.append(status)

    async def script(wire):
        await wire.head()
        await wire.say(UPGRADED)
        order.append(await wire.rest())

    client, engine = through(script, hooks=ResponseHooks(on_status=settle))
    await client.ask(b"POST /attach", *UPGRADE)
    await client.head()
    order.append("seen")
    await client.stream.send_eof()
    await engine.closed.wait()
    assert order == [101, "seen", b""]


async def test_a_cache_that_cannot_settle_does_not_spoil_the_answer(through, caplog):
    async def settle(status):
        raise EngineUnreachable("n1", "gone")

    client, engine = through(answering(OK), hooks=ResponseHooks(on_status=settle))
    await client.ask(b"POST /start")
    await client.until(b"ok")
    assert "did not settle" in caplog.text
    assert engine.errors == []


async def test_an_answer_can_be_rewritten_whole(through):
    heard = []

    def map_response(answer):
        return json_answer({**answer.json(), "Node": 1}, answer.status)

    text = CHUNKED + b'8\r\n{"Id":"a\r\n2\r\n"}\r\n0\r\n\r\n'
    client, _ = through(answering(text, heard), hooks=ResponseHooks(map_response=map_response))
    await client.ask(b"GET /json", b"Accept-Encoding: gzip")
    answer = await client.until(b"}\n")
    assert answer.endswith(b'{"Id":"a","Node":1}\n')
    assert b"Accept-Encoding: identity" in heard[0]


async def test_an_error_is_not_rewritten(through):
    error = b'HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\n{"message":"x"}'
    client, _ = through(
        answering(error), hooks=ResponseHooks(map_response=lambda answer: Answer(500))
    )
    await client.ask(b"GET /json")
    assert (await client.until(b'{"message":"x"}')).startswith(b"HTTP/1.1 404 Not Found")


# ---- one side goes


@pytest.mark.parametrize("half", [True, False], ids=["shuts its side", "closes"])
@pytest.mark.parametrize("answered", [True, False], ids=["in the body", "before the head"])
async def test_a_client_that_goes_ends_the_engines_work_at_once(through, half, answered, caplog):
    caplog.set_level(logging.INFO)
    asked = trio.Event()

    async def script(wire):
        await wire.head()
        if answered:
            await wire.say(CHUNKED + b"1\r\nx\r\n")
        asked.set()
        assert await wire.rest() == b""

    client, engine = through(script)
    await client.ask(b"GET /logs")
    if answered:
        await client.until(b"x\r\n")
    await asked.wait()
    await (client.stream.send_eof() if half else client.stream.aclose())
    await engine.closed.wait()
    assert caplog.records == []
    assert engine.errors == []


async def test_a_client_that_goes_in_its_upload_ends_the_engines_work(through):
    async def script(wire):
        await wire.head()
        await wire.until(b"abc\r\n")
        assert await wire.rest() == b""

    client, engine = through(script)
    await client.ask(b"POST /load", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await client.stream.aclose()
    await engine.closed.wait()


async def test_an_engine_lost_before_its_answer_is_an_error_of_ours(through):
    async def script(wire):
        await wire.head()

    client, engine = through(script)
    await client.ask(b"GET /info")
    answer = await client.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"engine n1: " in answer
    assert [error.sent for error in engine.errors] == [True]
    await client.ask(b"GET /info")  # the client's connection lives on
    await client.until(b"}\n")


@pytest.mark.parametrize(
    "answer",
    [CHUNKED + b"3\r\nabc\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
    ids=["chunked", "length"],
)
async def test_an_answer_that_is_cut_off_looks_cut_off(through, answer, caplog):
    async def script(wire):
        await wire.head()
        await wire.say(answer)

    client, engine = through(script)
    await client.ask(b"GET /export")
    await client.head()
    assert (await client.rest()).removeprefix(b"3\r\n").strip() == b"abc"
    assert len(engine.errors) == 1
    assert "cut off" in caplog.text


class LastWords:
    """An error tail that keeps what it was fed."""

    def __init__(self, *, ends_cleanly):
        self.ends_cleanly = ends_cleanly
        self.seen = []

    def feed(self, data):
        self.seen.append(data)

    def error_tail(self, reason):
        return f"<{reason}>".encode()


@pytest.mark.parametrize("ends_cleanly", [True, False], ids=["complete", "cut off"])
async def test_a_stream_whose_engine_is_lost_may_have_last_words(through, ends_cleanly):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED + b"3\r\nabc\r\n")

    words = LastWords(ends_cleanly=ends_cleanly)
    client, engine = through(script, hooks=ResponseHooks(on_engine_lost=words))
    await client.ask(b"POST /build")
    await client.head()
    await client.until(b"abc\r\n")
    said = await client.until(b">\r\n")
    assert b"<engine n1: " in said
    if ends_cleanly:
        await client.until(b"0\r\n\r\n")
    else:
        assert await client.rest() == b""
    assert words.seen == [b"abc"]
    assert len(engine.errors) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
    ids=["of a known length", "an error"],
)
async def test_an_answer_that_cannot_have_last_words_is_cut_off(through, answer):
    async def script(wire):
        await wire.head()
        await wire.say(answer)

    client, _ = through(script, hooks=ResponseHooks(on_engine_lost=LastWords(ends_cleanly=True)))
    await client.ask(b"POST /build")
    await client.head()
    assert (await client.rest()).removeprefix(b"3\r\n").strip() == b"abc"


async def test_the_last_words_wait_for_nothing_when_the_engine_does_not_answer_any_more(through):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED + b"3\r\nabc\r\n")
        await trio.sleep_forever()

    async def settle(status):
        await trio.sleep_forever()

    words = LastWords(ends_cleanly=True)
    client, engine = through(
        script, hooks=ResponseHooks(on_status=settle, on_status_at="end", on_engine_lost=words)
    )
    await client.ask(b"POST /build")
    await client.until(b"abc\r\n")
    engine.http.abandon()
    assert b"<engine n1 does not answer any more>" in await client.until(b"0\r\n\r\n")


async def test_who_waits_for_an_engine_that_does_not_answer_any_more_is_told(through):
    asked = trio.Event()

    async def script(wire):
        await wire.head()
        asked.set()
        await trio.sleep_forever()

    client, engine = through(script)
    await client.ask(b"GET /info")
    await asked.wait()
    engine.http.abandon()
    assert b"engine n1 does not answer any more" in await client.until(b"}\n")


# ---- hijack

UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
BARE = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
UPGRADE = (b"Connection: Upgrade", b"Upgrade: tcp")


@pytest.mark.parametrize(
    ("headers", "answer"), [(UPGRADE, UPGRADED), ((), BARE)], ids=["101", "bare 200"]
)
async def test_a_hijack_is_raw_both_ways_with_both_half_closes(through, headers, answer):
    async def script(wire):
        request = await wire.head()
        assert (b"Upgrade: tcp\r\n" in request) == bool(headers)
        await wire.say(answer + b"with the head ")
        assert await wire.rest() == b"in"
        await wire.say(b"out after the input's end")

    client, engine = through(script)
    await client.ask(b"POST /attach", *headers)
    assert await client.head() == answer
    await client.until(b"with the head ")
    await client.say(b"in")
    await client.stream.send_eof()
    assert await client.rest() == b"out after the input's end"
    await engine.closed.wait()


async def test_the_body_of_a_request_that_is_hijacked_goes_with_its_head(through):
    async def script(wire):
        await wire.head()
        assert wire.seen == b'{"stdin":true}'  # what came later would be standard input
        await wire.say(UPGRADED)
        wire.seen = b""
        assert await wire.rest() == b"in"

    client, engine = through(script)
    await client.ask(b"POST /attach", *UPGRADE, b"Content-Length: 14")
    await trio.testing.wait_all_tasks_blocked()
    await client.say(b'{"stdin":true}')
    assert await client.head() == UPGRADED
    await client.say(b"in")
    await client.stream.send_eof()
    await engine.closed.wait()


@pytest.mark.parametrize("shut", [True, False], ids=["and ended", "not ended"])
async def test_what_a_client_says_too_early_waits_for_the_engines_answer(
    through, shut, autojump_clock
):
    asked, go_on = trio.Event(), trio.Event()

    async def script(wire):
        await wire.head()
        asked.set()
        await go_on.wait()
        assert wire.seen == b""
        with trio.move_on_after(1):
            wire.seen += await wire.stream.receive_some()
        assert wire.seen == b""
        await wire.say(UPGRADED)
        await wire.until(b"early")
        await wire.say(b"late")

    client, _ = through(script)
    await client.ask(b"POST /attach", *UPGRADE, body=b"early")
    if shut:
        await client.stream.send_eof()
    await asked.wait()
    await trio.testing.wait_all_tasks_blocked()
    go_on.set()
    await client.head()
    assert await client.rest() == b"late"


async def test_a_session_is_a_tunnel_with_every_header_in_its_place(through):
    methods = [b"X-Docker-Expose-Session-Grpc-Method: /service.%d" % (n % 6) for n in range(9)]
    upgraded = UPGRADED.replace(b"tcp", b"h2c")

    async def script(wire):
        request = await wire.head()
        lines = request.split(b"\r\n")
        assert [line for line in lines if b"Grpc-Method" in line] == methods
        assert b"Upgrade: h2c" in lines
        assert b"Connection: Upgrade" in lines
        for byte in upgraded + b"PRI * ":  # engines send this head in tiny segments
            await wire.say(bytes([byte]))
        await wire.until(b"\0settings")
        await wire.say(b"acknowledged")

    client, _ = through(script)
    lines = (
        b"POST /session HTTP/1.1",
        b"Host: ",
        *methods,
        b"Connection: Upgrade",
        b"Upgrade: h2c",
    )
    await client.say(b"\r\n".join(lines) + b"\r\n\r\n")
    assert await client.head() == upgraded
    await client.until(b"PRI * ")
    await client.say(b"\0settings")
    assert await client.rest() == b"acknowledged"


@pytest.mark.parametrize("headers", [(b"Connection: Upgrade", b"Upgrade: tcp"), ()])
@pytest.mark.parametrize("status", [101, 404])
async def test_the_head_of_a_hijack_can_be_reworded_and_an_error_is_not(through, headers, status):
    head = UPGRADED if headers else BARE
    if status == 404:
        head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    client, _ = through(
        answering(head), hooks=ResponseHooks(map_headers=lambda kept: (*kept, (b"X-New", b"1")))
    )
    await client.ask(b"POST /attach", *headers)
    assert (b"X-New: 1\r\n" in await client.head()) == (status == 101)


async def test_an_exec_sends_its_json_before_it_is_raw(through):
    async def script(wire):
        await wire.head()
        await wire.until(b'{"Tty":true}')
        await wire.say(UPGRADED)
        await wire.until(b"ls\n")
        await wire.say(b"files")

    client, _ = through(script)
    body = b'{"Tty":true}'
    await client.ask(b"POST /exec/1/start", *UPGRADE, b"Content-Length: 12", body=body)
    await client.head()
    await client.say(b"ls\n")
    assert await client.rest() == b"files"


async def test_an_upgrade_that_the_engine_declines_is_an_ordinary_answer(through):
    client, _ = through(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    for _ in range(2):
        await client.ask(b"POST /exec/1/start", *UPGRADE)
        assert b"Content-Length: 0\r\n" in await client.head()


async def test_a_client_that_vanishes_from_a_tunnel_takes_the_engines_end_with_it(through):
    async def script(wire):
        await wire.head()
        await wire.say(UPGRADED)
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                await wire.say(b"x" * 1000)

    client, engine = through(script)
    await client.ask(b"POST /attach", *UPGRADE)
    await client.head()
    await client.stream.aclose()
    await engine.closed.wait()


async def test_a_tunnel_ends_on_both_sides_when_the_engine_does_not_answer_any_more(through):
    async def script(wire):
        await wire.head()
        await wire.say(UPGRADED)
        assert await wire.rest() == b""

    client, engine = through(script)
    await client.ask(b"POST /attach", *UPGRADE)
    await client.head()
    engine.http.abandon()
    assert await client.rest() == b""
    await engine.closed.wait()


async def test_relaying_can_be_refused_before_it_begins(through):
    async def handler(exchange, engine):
        raise NotFound("No such container: web")

    client, _ = through(answering(OK), handler=handler)
    await client.ask(b"GET /json")
    assert b"No such container: web" in await client.until(b"}\n")


# ---- bodies and answers that a handler looks at


async def test_a_body_that_was_begun_to_be_read_reaches_the_engine_whole(through):
    async def script(wire):
        head = await wire.head()
        assert b"Content-Length: 9" in head
        await wire.until(b"abcdefghi")
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def handler(exchange, engine):
        begun = [await exchange.receive_chunk()]

        async def pieces():
            return begun.pop() if begun else await exchange.receive_chunk()

        await relay(exchange, engine, "/build", announced=ApiVersion(1, 40), pieces=pieces)

    client, _ = through(script, handler=handler)
    await client.ask(b"POST /build", b"Content-Length: 9", body=b"abc")
    await client.say(b"defghi")
    assert (await client.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")


async def test_a_body_without_a_piece_is_known_to_be_empty(through):
    async def script(wire):
        assert b"content-length: 0" in (await wire.head()).lower()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def pieces():
        await trio.lowlevel.checkpoint()
        return b""

    client, _ = through(script, pieces=pieces)
    await client.ask(b"POST /build", b"Content-Length: 0")
    await client.until(b"\r\n\r\nok")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"2\r\nAB\r\n3\r\nend\r\n0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
         b"2\r\nab\r\n0\r\n\r\n"),
    ],
    ids=["open", "of a known length", "an error"],
)  # fmt: skip
async def test_pieces_of_an_open_answer_are_altered(through, answer, told):
    client, _ = through(
        answering(answer), hooks=ResponseHooks(map_data=lambda data: data.upper() or b"end")
    )
    await client.ask(b"POST /build")
    await client.head()
    assert await client.until(told[-4:]) == told
