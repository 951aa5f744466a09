"""An engine that lies about the length of its answers: its fault in words, and nobody else's."""

from contextlib import suppress

import pytest
import trio

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import find_header

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#: A second answer in the body of the first: it must not become the answer to another request.
SMUGGLED = HEAD + b'Content-Length: 11\r\n\r\n{"Id": "x"}'

#: What an engine sends before it closes the connection.
LIES = {
    "more announced than sent": HEAD + b"Content-Length: 99\r\n\r\n{}",
    "huge": HEAD + b"Content-Length: 999999999999999\r\n\r\n{}",
    "beyond all numbers": HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n{}",
    "negative": HEAD + b"Content-Length: -2\r\n\r\n{}",
    "no number": HEAD + b"Content-Length: two\r\n\r\n{}",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a chunk that is longer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a chunk that is shorter": HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a huge chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    "no last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "an unknown coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}",
}
#: For requests after which an engine is looked at again, which takes a second each.
FEW = ("more announced than sent", "negative", "a chunk that is longer", "no last chunk")

#: Requests, and the requests to the engine whose answers lie.
ASKED = {
    "inspect": ("GET", "/containers/web/json", rb"GET /v[0-9.]+/containers/\w+/json"),
    "list with sizes": ("GET", "/containers/json?size=1&all=1", rb"GET \S+/containers/json\?"),
    "logs": ("GET", "/containers/web/logs?stdout=1", rb"GET \S+/logs"),
    "create": ("POST", "/containers/create?name=new", rb"POST \S+/containers/create"),
    "start": ("POST", "/containers/web/start", rb"POST \S+/start"),
}  # fmt: skip


async def ask(manager, method, path):
    """Return the answer; ``None`` if it was cut off, which clients notice."""
    body = {"Image": "busybox", "Env": ["constraint:node==n1"]} if "create" in path else None
    with trio.fail_after(60), suppress(EngineUnreachable):
        return await manager(method, path, body)


@pytest.mark.parametrize("asked", ASKED)
async def test_a_wrong_length_is_an_error_of_its_request_alone(manager, n1, line, caplog, asked):
    method, path, pattern = ASKED[asked]
    await manager.run("web", Env=["constraint:node==n1"])
    await manager.run("near", Env=["constraint:node==n2"])
    for lie in FEW if method == "POST" else LIES:
        line.answer(pattern, LIES[lie])
        answer = await ask(manager, method, path)
        if asked == "list with sizes":
            assert "/near" in [each["Names"][0] for each in answer.json()], lie
        elif answer is not None:
            assert (answer.status >= 500, "engine n1" in answer.message) == (True, True), lie
        assert "/near" in await manager.names(), lie
        line.behave()
        await manager.wait_healthy("n1")
    assert (await manager.json("GET", "/containers/web/json"))["Name"] == "/web"
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("framing", [b"Content-Length: 2\r\n\r\n{}",
                                     b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"],
                         ids=["length", "chunks"])  # fmt: skip
async def test_what_follows_an_answer_never_answers_another_request(manager, n1, line, framing):
    await manager.run("web", Env=["constraint:node==n1"])
    path, pattern = "/containers/web/top", rb"GET \S+/top"
    line.answer(pattern, HEAD + framing + SMUGGLED, closes=False)
    assert (await manager("GET", path)).json() == {}
    line.behave()
    for _ in range(5):
        assert (await manager.json("GET", "/containers/web/json"))["Name"] == "/web"


async def test_of_two_framings_the_chunks_count_and_the_length_is_not_passed_on(manager, line):
    await manager.run("web", Env=["constraint:node==n1"])
    both = b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    line.answer(rb"GET \S+/top", HEAD + both + b"2\r\n{}\r\n0\r\n\r\n", closes=False)
    answer = await manager("GET", "/containers/web/top")
    assert answer.json() == {}
    assert find_header(answer.headers, b"content-length") in (None, b"2")
