"""How the client reads answers to ordinary requests."""

import gzip

import pytest

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import client as module
from tests.component.http.client.socket_engine import CHUNKED, OK, ScriptedEngine, asking, chunk


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


async def cut_short(stream):
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    return False


@pytest.mark.parametrize(
    "script", [cut_short, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], ids=["cut short", "not HTTP"]
)
async def test_an_incomplete_answer_is_an_error(script):
    with pytest.RaisesGroup(pytest.RaisesExc(EngineUnreachable, check=lambda e: e.sent)):
        await answer_to(script)
