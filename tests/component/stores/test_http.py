"""The HTTP client of stores, with a server that answers as a test sets."""

from functools import partial

import h11
import pytest
import trio

from swarmcore.stores import StoreError
from swarmcore.stores.http import StoreClient


class Server:
    """Answers every request with *chunks*, one after another; ``None`` makes it hang."""

    def __init__(self):
        self.status, self.chunks = 200, [b"{}"]
        self.requests, self.connections = [], 0
        self.url = ""

    async def serve(self, task_status=trio.TASK_STATUS_IGNORED):
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        await trio.serve_listeners(self._handle, [listener], task_status=task_status)

    async def _handle(self, stream):
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        async with stream:
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    try:
                        connection.receive_data(await stream.receive_some())
                    except trio.BrokenResourceError:
                        return
                elif isinstance(event, h11.Request):
                    self.requests.append(event)
                elif isinstance(event, h11.EndOfMessage):
                    await self._answer(connection, stream)
                    connection.start_next_cycle()
                elif isinstance(event, h11.ConnectionClosed):
                    return

    async def _answer(self, connection, stream):
        head = h11.Response(status_code=self.status, headers=[("X-Index", "7")])
        await stream.send_all(connection.send(head))
        for chunk in self.chunks:
            if chunk is None:
                await trio.sleep_forever()
            await stream.send_all(connection.send(h11.Data(chunk)))
        await stream.send_all(connection.send(h11.EndOfMessage()))


@pytest.fixture
async def server(nursery):
    server = Server()
    await nursery.start(server.serve)
    return server


def client(server, **options):
    return StoreClient(f"{server.url}/v1/", headers={"X-Token": "a"}, name="store s", **options)


async def test_an_answer_has_status_headers_in_lower_case_and_body(server):
    server.status, server.chunks = 404, [b"no ", b"such key\n"]
    reply = await client(server).ask(
        "PUT", "kv/a", query={"wait": 5}, body=b"x", headers={"X-More": "b"}
    )
    assert (reply.status, reply.headers["x-index"], reply.text) == (404, "7", "no such key")
    (request,) = server.requests
    assert (request.method, request.target) == (b"PUT", b"/v1/kv/a?wait=5")
    assert dict(request.headers)[b"x-token"] == b"a"
    assert dict(request.headers)[b"x-more"] == b"b"


async def test_while_connected_requests_share_a_connection(server):
    asked = client(server)
    async with asked.connected():
        for _ in range(3):
            await asked.ask("GET")
    assert server.connections == 1


async def test_unconnected_requests_have_separate_connections(server):
    asked = client(server)
    for _ in range(2):
        await asked.ask("GET")
    assert server.connections == 2


async def test_a_request_beside_a_stream_has_another_connection(server):
    asked, seen = client(server), trio.Event()
    server.chunks = [b"first\n", None]
    async with asked.connected(), trio.open_nursery() as streaming:
        streaming.start_soon(asked.stream, "GET", "watch", lambda line: seen.set())
        await seen.wait()
        server.chunks = [b"{}"]
        await asked.ask("GET")
        streaming.cancel_scope.cancel()
    assert server.connections == 2


async def test_a_store_that_hangs_is_named(server, autojump_clock):
    server.chunks = [b"{", None]
    asked = client(server, answer_seconds=3)
    async with asked.connected():
        with pytest.raises(StoreError, match=r"^store s: no answer within 5 s$"):
            await asked.ask("GET", wait_seconds=2)


async def test_a_store_that_is_not_there_is_named():
    with pytest.raises(StoreError, match=r"^http://127.0.0.1:1: .*refused|failed"):
        await StoreClient("http://127.0.0.1:1").ask("GET")


async def test_an_answer_has_a_limit(server):
    server.chunks = [b"x" * 60, b"x" * 60]
    with pytest.raises(StoreError, match="store s: an answer of more than 100 bytes"):
        await client(server, largest_bytes=100).ask("GET")


@pytest.mark.parametrize("text", [b"no", b"[" * 100_000])
async def test_malformed_json_is_a_value_error(server, text):
    server.chunks = [text]
    reply = await client(server).ask("GET")
    with pytest.raises(ValueError):
        reply.json()


# ---- streams


async def test_a_stream_is_taken_line_by_line_until_it_ends(server):
    server.chunks, lines = [b"one\ntw", b"o\n\nthree"], []
    assert await client(server).stream("POST", "watch", lines.append) is None
    assert lines == [b"one", b"two", b"three"]


async def test_a_stream_lasts_longer_than_an_answer_may_take(server, autojump_clock):
    server.chunks, lines = [b"one\n", None], []
    with trio.move_on_after(60) as scope:
        await client(server).stream("POST", "watch", lines.append)
    assert scope.cancelled_caught
    assert lines == [b"one"]


async def test_a_stream_that_is_refused_gives_the_whole_answer(server):
    server.status, server.chunks, lines = 403, [b"not ", b"you"], []
    refusal = await client(server).stream("POST", "watch", lines.append)
    assert (refusal.status, refusal.text, lines) == (403, "not you", [])


async def test_a_line_has_a_limit(server):
    server.chunks = [b"x" * 101, None]
    with pytest.raises(StoreError, match="store s: a line of more than 100 bytes"):
        await client(server, largest_bytes=100).stream("GET", "", lambda line: None)


async def test_a_malformed_line_ends_the_stream_with_the_stores_name(server):
    server.chunks = [b"{\n", None]
    with pytest.raises(StoreError, match=r"^store s: invalid literal"):
        await client(server).stream("GET", "", partial(int, base=10))
