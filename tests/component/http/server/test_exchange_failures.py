"""Handlers that raise errors, before and after the head of their answer."""

import logging

import trio
import trio.testing

from swarmcore.errors import Conflict
from tests.component.http.server.peers import message


async def test_an_expected_error_is_its_status_and_text(connect):
    async def handler(exchange):
        raise Conflict("the name is taken")

    peer = connect(handler)
    await peer.ask(b"POST /")
    answer = await peer.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 409 Conflict")
    assert message(answer) == "the name is taken"
    await peer.ask(b"POST /")  # the connection lives on
    await peer.until(b"}\n")


async def test_an_unexpected_error_is_logged_and_not_shown(connect, caplog):
    async def handler(exchange):
        raise ZeroDivisionError("secret detail")

    peer = connect(handler)
    await peer.ask(b"GET /")
    answer = await peer.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in answer
    assert caplog.records[0].exc_info


async def test_a_single_error_in_a_group_is_that_error(connect):
    async def handler(exchange):
        raise ExceptionGroup("from a nursery", [Conflict("taken")])

    peer = connect(handler)
    await peer.ask(b"GET /")
    assert message(await peer.until(b"}\n")) == "taken"


async def test_an_error_after_the_head_cuts_the_answer_off(connect, caplog):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(b"begun")
            raise ZeroDivisionError

    peer = connect(handler)
    await peer.ask(b"GET /")
    assert (await peer.rest()).endswith(b"5\r\nbegun\r\n")
    assert caplog.records


async def test_a_client_that_has_gone_before_the_head_is_no_error(connect, caplog):
    go_on, ended = trio.Event(), trio.Event()

    async def handler(exchange):
        await go_on.wait()
        try:
            async with exchange.stream() as send:
                await send(b"never")
        finally:
            ended.set()

    peer = connect(handler)
    await peer.ask(b"GET /events")
    await trio.testing.wait_all_tasks_blocked()
    await peer.stream.aclose()
    go_on.set()
    await ended.wait()
    await trio.testing.wait_all_tasks_blocked()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_handler_that_forgets_to_answer_is_500(connect, caplog):
    async def handler(exchange):
        pass

    peer = connect(handler)
    await peer.ask(b"GET /")
    assert (await peer.until(b"}\n")).startswith(b"HTTP/1.1 500 ")
    assert "was not answered" in caplog.text
