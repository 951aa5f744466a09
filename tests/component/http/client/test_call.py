"""Calls and the pool of connections, with a scripted engine."""

import pytest
import trio
import trio.testing

from swarmcore.addresses import parse_address
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client import HTTPClient

HOST = (b"Host", b"docker")
CHUNKED = (b"Transfer-Encoding", b"chunked")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class ScriptedDialer:
    """Runs the next script on the engine's end of each connection."""

    def __init__(self, nursery, *scripts):
        self.address = parse_address("engine:2375")
        self.dialled = 0
        self._nursery = nursery
        self._scripts = list(scripts)

    async def dial(self):
        self.dialled += 1
        if not self._scripts:
            raise EngineUnreachable("engine:2375", "connection refused")
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._play, self._scripts.pop(0), theirs)
        return ours

    async def _play(self, script, stream):
        async with stream:
            await script(stream)


async def read_head(stream):
    """Read a request's head; return it, and the bytes after it."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        data = await stream.receive_some()
        if not data:
            return seen
        seen += data
    return seen


def answers(*texts):
    """Return a script that answers each request with the next of *texts*, and then closes."""

    async def script(stream):
        for text in texts:
            if not await read_head(stream):
                return
            await stream.send_all(text)

    return script


async def silent(stream):
    await read_head(stream)


async def get(client, target="/v1.41/info", method="GET", headers=(HOST,)):
    async with client.call(method, target, headers) as call:
        head = await call.read_head()
        body = b""
        while data := await call.read_data():
            body += data
        return head.status, body


async def test_a_request_goes_out_as_given(nursery):
    seen = []

    async def script(stream):
        seen.append(await read_head(stream))
        await stream.send_all(OK)

    client = HTTPClient(ScriptedDialer(nursery, script))
    headers = (HOST, (b"X-B", b"1"), (b"x-a", b"2"), (b"X-B", b"3"))
    assert await get(client, "/v1.41/a?b=%2F", headers=headers) == (200, b"ok")
    assert seen == [
        b"GET /v1.41/a?b=%2F HTTP/1.1\r\nHost: docker\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n\r\n"
    ]


async def test_a_complete_exchange_leaves_its_connection_for_the_next(nursery):
    dialer = ScriptedDialer(
        nursery, answers(OK, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", OK)
    )
    client = HTTPClient(dialer)
    assert [await get(client) for _ in range(3)] == [(200, b"ok"), (404, b""), (200, b"ok")]
    assert dialer.dialled == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more than was announced",
    ],
    ids=["close", "until the end", "too much"],
)
async def test_a_connection_that_ends_is_not_used_again(nursery, answer):
    dialer = ScriptedDialer(nursery, answers(answer), answers(OK))
    client = HTTPClient(dialer)
    assert await get(client) == (200, b"ok")
    assert repr(client) == "<HTTPClient engine:2375 0 idle>"
    assert await get(client) == (200, b"ok")
    assert dialer.dialled == 2


async def test_a_connection_with_half_a_request_in_it_is_not_used_again():
    ours, theirs = trio.testing.lockstep_stream_pair()  # a send waits until it is received

    class OneDialer:
        address = parse_address("engine:2375")

        async def dial(self):
            return ours

    client = HTTPClient(OneDialer())
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def answer_without_listening():
            await read_head(theirs)
            await theirs.send_all(OK)

        async with (
            client.call("POST", "/", (HOST, CHUNKED)) as call,
            trio.open_nursery() as both,
        ):
            both.start_soon(call.finish)
            await call.read_head()
            assert await call.read_data() == b"ok"
            assert await call.read_data() == b""
            both.cancel_scope.cancel()
    assert repr(client) == "<HTTPClient engine:2375 0 idle>"


async def test_as_many_idle_connections_are_kept_as_a_burst_has_opened_up_to_a_limit(nursery):
    dialer = ScriptedDialer(nursery, *[answers(*[OK] * 9)] * 80)
    client = HTTPClient(dialer)
    for connections, dialled in ((20, 20), (20, 20), (40, 40), (40, 48)):
        async with trio.open_nursery() as many:
            for _ in range(connections):
                many.start_soon(get, client)
        assert dialer.dialled == dialled
    assert repr(client) == "<HTTPClient engine:2375 32 idle>"


async def test_idle_connections_that_are_not_needed_any_more_are_closed(autojump_clock, nursery):
    dialer = ScriptedDialer(nursery, *[answers(*[OK] * 50)] * 20)
    client = HTTPClient(dialer)
    async with trio.open_nursery() as many:
        for _ in range(20):
            many.start_soon(get, client)
    for _ in range(30):
        await trio.sleep(5)
        await get(client)
    assert dialer.dialled == 20
    assert repr(client) == "<HTTPClient engine:2375 1 idle>"


async def test_closing_closes_the_idle_and_keeps_none(nursery):
    dialer = ScriptedDialer(nursery, answers(OK, OK), answers(OK, OK))
    client = HTTPClient(dialer)
    await get(client)
    await client.aclose()
    await get(client)
    assert repr(client) == "<HTTPClient engine:2375 0 idle>"


# ---- connections that went stale


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_repeatable_request_is_asked_again_on_a_fresh_connection(nursery, method):
    answer = OK if method == "GET" else OK.removesuffix(b"ok")
    dialer = ScriptedDialer(nursery, answers(OK), answers(answer))
    client = HTTPClient(dialer)
    await get(client)
    status, _ = await get(client, method=method)
    assert (status, dialer.dialled) == (200, 2)


async def test_a_request_with_a_partial_answer_is_not_repeated(nursery):
    dialer = ScriptedDialer(nursery, answers(OK, b"HTTP/1.1 200 O"), answers(OK))
    client = HTTPClient(dialer)
    await get(client)
    with pytest.raises(EngineUnreachable, match="ended before the answer"):
        await get(client)
    assert dialer.dialled == 1


async def test_a_post_is_not_asked_twice_when_it_may_have_arrived(nursery):
    async def dies_on_the_second(stream):
        await read_head(stream)
        await stream.send_all(OK)
        await read_head(stream)

    dialer = ScriptedDialer(nursery, dies_on_the_second, answers(OK))
    client = HTTPClient(dialer)
    await get(client)
    with pytest.raises(EngineUnreachable) as caught:
        await get(client, method="POST", headers=(HOST, (b"Content-Length", b"0")))
    assert caught.value.sent
    assert dialer.dialled == 1


async def test_a_post_is_asked_again_when_nothing_of_it_left(nursery):
    dialer = ScriptedDialer(nursery, answers(OK), answers(OK))
    client = HTTPClient(dialer)
    await get(client)
    await trio.testing.wait_all_tasks_blocked()  # the engine has closed both directions
    status, _ = await get(client, method="POST", headers=(HOST, (b"Content-Length", b"0")))
    assert (status, dialer.dialled) == (200, 2)


async def test_a_fresh_connection_that_fails_is_not_tried_again(nursery):
    dialer = ScriptedDialer(nursery, silent, answers(OK))
    with pytest.raises(EngineUnreachable, match="ended before the answer") as caught:
        await get(HTTPClient(dialer))
    assert caught.value.sent
    assert dialer.dialled == 1


async def test_a_socket_that_the_engine_closed_meanwhile_is_noticed_before_use(nursery):
    class SocketDialer(ScriptedDialer):
        async def dial(self):
            self.dialled += 1
            return await trio.testing.open_stream_to_socket_listener(listeners[0])

    async def handler(stream):
        async with stream:
            await answers(OK)(stream)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, handler, listeners)
    dialer = SocketDialer(nursery)
    client = HTTPClient(dialer)
    post = {"method": "POST", "headers": (HOST, (b"Content-Length", b"0"))}
    await get(client, **post)
    await trio.lowlevel.wait_readable(client._idle[0].stream.socket)  # the engine's FIN
    assert await get(client, **post) == (200, b"ok")
    assert dialer.dialled == 2
    await client.aclose()


# ---- failures


async def test_an_error_of_the_connection_is_unreachable(nursery):
    with pytest.raises(EngineUnreachable, match="connection refused") as caught:
        await get(HTTPClient(ScriptedDialer(nursery)))
    assert not caught.value.sent


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 2"],
    ids=["ssh", "bad length", "cut off"],
)
async def test_another_protocol_is_unreachable_and_names_the_engine(nursery, answer):
    with pytest.raises(EngineUnreachable, match="engine n1: "):
        await get(HTTPClient(ScriptedDialer(nursery, answers(answer)), "n1"))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
    ids=["length", "chunked"],
)
async def test_a_body_that_is_cut_off_is_an_error_after_what_came(nursery, answer):
    client = HTTPClient(ScriptedDialer(nursery, answers(answer)))
    async with client.call("GET", "/", (HOST,)) as call:
        await call.read_head()
        assert await call.read_data() == b"abc"
        with pytest.raises(EngineUnreachable, match="ended before the answer"):
            await call.read_data()


# ---- answers


async def test_data_comes_as_it_arrives_and_trailers_at_the_end(nursery):
    go_on = trio.Event()

    async def script(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await stream.send_all(b"1\r\na\r\n2\r\nbc\r\n")
        await go_on.wait()
        await stream.send_all(b"1\r\nd\r\n0\r\nX-Sum: 1\r\n\r\n")

    async with HTTPClient(ScriptedDialer(nursery, script)).call("GET", "/", (HOST,)) as call:
        await call.read_head()
        assert await call.read_data() == b"abc"
        go_on.set()
        assert await call.read_data() == b"d"
        assert await call.read_data() == b""
        assert call.trailers == ((b"X-Sum", b"1"),)


async def test_a_body_is_sent_while_the_answer_comes(nursery):
    async def echo(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        seen = b""
        while not seen.endswith(b"0\r\n\r\n"):
            data = bytes(await stream.receive_some())
            await stream.send_all(data)
            seen += data

    client = HTTPClient(ScriptedDialer(nursery, echo))
    async with client.call("POST", "/", (HOST, CHUNKED)) as call:
        assert (await call.read_head()).status == 200
        for piece in (b"one", b"two"):
            await call.send(piece)
            assert await call.read_data() == piece
        await call.finish()
        assert await call.read_data() == b""


async def test_100_continue_is_not_the_answer(nursery):
    async def script(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 100 Continue\r\n\r\n")
        await stream.receive_some()
        await stream.send_all(OK)

    client = HTTPClient(ScriptedDialer(nursery, script))
    headers = (HOST, (b"Expect", b"100-continue"), (b"Content-Length", b"2"))
    async with client.call("PUT", "/", headers) as call, trio.open_nursery() as both:

        @both.start_soon
        async def send():
            await call.wait_continue()
            await call.send(b"ab")
            await call.finish()

        assert (await call.read_head()).status == 200


async def test_a_hijack_hands_over_what_came_with_the_head(nursery):
    async def script(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nfirst")
        await stream.send_all(await stream.receive_some())

    client = HTTPClient(ScriptedDialer(nursery, script))
    headers = (HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"tcp"), (b"Content-Length", b"0"))
    async with client.call("POST", "/attach", headers) as call:
        head = await call.read_head()
        assert (head.status, head.reason) == (101, b"UPGRADED")
        taken = call.take_over()
    assert taken.early == b"first"
    async with taken.stream as stream:
        await stream.send_all(b"raw")
        assert await stream.receive_some() == b"raw"


async def test_leaving_early_closes_the_connection_at_once(nursery):
    closed = trio.Event()

    async def script(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert await stream.receive_some() == b""
        closed.set()

    async with HTTPClient(ScriptedDialer(nursery, script)).call("GET", "/", (HOST,)) as call:
        await call.read_head()
    await closed.wait()


async def test_an_engine_that_has_a_name_is_called_by_it_when_it_cannot_be_reached(nursery):
    client = HTTPClient(ScriptedDialer(nursery))
    with pytest.raises(EngineUnreachable, match=r"^connection refused$"):
        await get(client)
    client.name = "n1"
    with pytest.raises(EngineUnreachable, match=r"^engine n1: connection refused$") as caught:
        await get(client)
    assert not caught.value.sent
