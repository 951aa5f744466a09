"""Answers that are read without h11 and by it: what is read, and whether the connection is kept."""

import h11
import pytest
import trio
import trio.testing

from swarmcore.addresses import parse_address
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client import HTTPClient

HOST = (b"Host", b"docker")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
FIVE = b"Content-Length: 5\r\n\r\nabcde"
LONG = b"X-Long: " + b"x" * 4000 + b"\r\n"
SAID = (200, b"abcde")


class OneAnswer:
    """Every connection is answered by *answer*, in pieces of *size* bytes, and may then end."""

    def __init__(self, nursery, answer, size, *, ends=False):
        self.address = parse_address("engine:2375")
        self._nursery = nursery
        self._answer = answer
        self._size = size
        self._ends = ends

    async def dial(self):
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._play, theirs)
        return ours

    async def _play(self, stream):
        async with stream:
            seen = b""
            while b"\r\n\r\n" not in seen:
                seen += await stream.receive_some()
            for at in range(0, len(self._answer), self._size):
                await stream.send_all(self._answer[at : at + self._size])
                await trio.testing.wait_all_tasks_blocked()
            if not self._ends:
                await stream.receive_some()


@pytest.fixture
def h11_events(monkeypatch):
    """What h11 was asked to read."""
    asked, next_event = [], h11.Connection.next_event
    monkeypatch.setattr(
        h11.Connection, "next_event", lambda self: asked.append(1) or next_event(self)
    )
    return asked


async def ask(client, method="GET"):
    headers = (HOST, (b"Content-Length", b"0")) if method == "POST" else (HOST,)
    async with client.call(method, "/", headers) as call:
        head = await call.read_head()
        body = b""
        while data := await call.read_data():
            body += data
        return (head.status, body), call.trailers


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("answer", "said", "kept", "is_plain"),
    [
        (OK + FIVE, SAID, 1, True),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", (404, b""), 1, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b""), 1, True),
        (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", SAID, 1, True),
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", SAID, 1, False),
        (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n", SAID, 1, False),
        (b"HTTP/1.1 103 Early\r\n\r\n" + OK + FIVE, SAID, 1, False),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nabcde", SAID, 1, False),
        (OK + LONG + FIVE, SAID, 1, False),
        (OK + b"Connection: close\r\n" + FIVE, SAID, 0, False),
        (OK + FIVE + b"fg", SAID, 0, True),
        (CHUNKED + b"5\r\nabcde\r\n0\r\n\r\nHTTP/1.1", SAID, 0, True),
    ],
    ids=[
        *("length", "empty", "no content", "chunked", "extension", "trailers", "informational"),
        *("line feeds", "long head", "close", "too much", "too many"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_answer_means_the_same_however_it_comes(
    nursery, h11_events, method, answer, said, kept, is_plain, size
):
    client = HTTPClient(OneAnswer(nursery, answer, size))
    found, trailers = await ask(client, method)
    assert found == said
    assert trailers == (((b"X-Sum", b"1"),) if b"X-Sum" in answer else ())
    if size == 1000 or kept:
        assert repr(client) == f"<HTTPClient engine:2375 {kept} idle>"
    assert (not h11_events) == is_plain


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (OK + FIVE[:-2], "ended before the answer did"),
        (CHUNKED + b"5\r\nabc", "ended before the answer did"),
        (CHUNKED + b"3\r\nabc\r\n", "ended before the answer did"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", "ended before the answer did"),
        (CHUNKED + b"3\r\nabcd\r\n", "malformed answer"),
        (CHUNKED + b"x\r\nabc\r\n", "malformed answer"),
        (OK + b"Content-Len", "ended before the answer did"),
        (OK + b"Content-Length: x\r\n\r\n", "malformed answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
            "malformed answer",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "malformed answer"),
    ],
)
async def test_what_is_no_answer_is_an_error(nursery, answer, why, size):
    client = HTTPClient(OneAnswer(nursery, answer, size, ends=True))
    with trio.fail_after(5), pytest.raises(EngineUnreachable, match=why):
        await ask(client, "POST")
