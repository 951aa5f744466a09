"""How the proxy forwards the heads of requests and answers."""

import pytest
import trio
import trio.testing

from swarmcore.errors import NotFound
from tests.component.http.proxy.relaying import HOST, OK, answering


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


async def test_relaying_can_be_refused_before_it_begins(through):
    async def handler(exchange, engine):
        raise NotFound("No such container: web")

    client, _ = through(answering(OK), handler=handler)
    await client.ask(b"GET /json")
    assert b"No such container: web" in await client.until(b"}\n")
