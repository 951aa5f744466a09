"""A client or an engine disconnects: the work on the other side ends, and errors are reported."""

import logging

import pytest
import trio
import trio.testing

from swarmcore.protocols import ResponseHooks
from tests.component.http.proxy.relaying import CHUNKED


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
    """`wait` and `logs -f` are not hijacked, even if the client offers it."""
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


async def test_an_engine_lost_before_its_answer_is_an_error_of_the_manager(through):
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
    """An error tail that records the data that it is fed."""

    def __init__(self, *, ends_cleanly):
        self.ends_cleanly = ends_cleanly
        self.seen = []

    def feed(self, data):
        self.seen.append(data)

    def error_tail(self, reason):
        return f"<{reason}>".encode()


@pytest.mark.parametrize("ends_cleanly", [True, False], ids=["complete", "cut off"])
async def test_a_stream_whose_engine_is_lost_can_end_with_an_error(through, ends_cleanly):
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
async def test_an_answer_without_a_form_for_errors_is_cut_off(through, answer):
    async def script(wire):
        await wire.head()
        await wire.say(answer)

    client, _ = through(script, hooks=ResponseHooks(on_engine_lost=LastWords(ends_cleanly=True)))
    await client.ask(b"POST /build")
    await client.head()
    assert (await client.rest()).removeprefix(b"3\r\n").strip() == b"abc"


async def test_the_error_is_sent_at_once_when_the_engine_does_not_answer(through):
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


async def test_a_waiting_client_gets_an_error_when_the_engine_does_not_answer(through):
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
