"""Several requests that are sent at once: their answers, and what becomes of the connection."""

import pytest
import trio

from tests.component.http.client.socket_engine import (
    CHUNKED,
    OK,
    OK_AND_CLOSE,
    ScriptedEngine,
    asking,
    chunk,
)

END = b"0\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
LONG = CHUNKED + chunk(b"a" * 5000) + chunk(b"b" * 10) + END


class Engine(ScriptedEngine):
    """Answers every request with the next script, as an engine does: one after another.

    Args:
        scripts: see ``ScriptedEngine``.
        piece: the bytes that are sent at a time.
    """

    def __init__(self, *scripts, piece=1 << 20):
        super().__init__(*scripts)
        self.piece = piece
        self.received = []

    async def _serve_one(self, stream):
        data = await stream.receive_some()
        self.received.append(data)
        requests = data.split(b"\r\n\r\n")[:-1]
        answers = b""
        for request in requests:
            self.seen.append(request)
            answers += self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for at in range(0, len(answers), self.piece):
            await stream.send_all(answers[at : at + self.piece])
            await trio.lowlevel.checkpoint()
        return bool(requests)


async def ask_several(client, count):
    answers = []
    await client.request_several([f"/{number}" for number in range(count)], answers.append)
    return [(answer.status, answer.body) for answer in answers]


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
async def test_answers_come_in_order_on_one_connection(piece):
    engine = Engine(OK, LONG, MISSING, CHUNKED + END, piece=piece)
    async with asking(engine) as client:
        assert await ask_several(client, 4) == [
            (200, b"ok"), (200, b"a" * 5000 + b"b" * 10), (404, b"gone"), (200, b""),
        ]  # fmt: skip
        assert len(engine.received) == 1
        engine.scripts = [OK]
        assert (await client.request("GET", "/next")).body == b"ok"
    assert [seen.split()[1] for seen in engine.seen] == [b"/0", b"/1", b"/2", b"/3", b"/next"]
    assert engine.connections == 1


@pytest.mark.parametrize(
    "unusual",
    [
        OK_AND_CLOSE,
        CHUNKED + b"5\r\nabcdefgh\r\n",
        CHUNKED + b"5;name=value\r\nabcde\r\n" + END,
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
async def test_after_an_unusual_answer_nothing_more_is_read(unusual):
    engine = Engine(OK, LONG, unusual, OK)
    async with asking(engine) as client:
        assert [status for status, _ in await ask_several(client, 4)] == [200, 200]
        assert (await client.request("GET", "/next")).body == b"ok"
    assert engine.connections == 2


@pytest.mark.parametrize("cut", [0, 10, len(OK) + 10, 2 * len(OK) - 1])
async def test_after_the_end_of_the_connection_nothing_more_is_read(cut):
    async def serve(stream):
        async with stream:
            await stream.receive_some()
            await stream.send_all((OK + OK)[:cut])

    engine = Engine(OK)
    engine.serve = serve
    async with asking(engine) as client:
        assert len(await ask_several(client, 2)) == cut // len(OK)


async def test_a_cancelled_exchange_closes_its_connection():
    engine = Engine(OK, b"")
    async with asking(engine) as client:
        with trio.move_on_after(0.1):
            await ask_several(client, 2)
        engine.scripts = [OK]
        assert (await client.request("GET", "/next")).body == b"ok"
    assert engine.connections == 2
