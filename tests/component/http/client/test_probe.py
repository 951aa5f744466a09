"""Requests whose answers are looked for: what they find, and what becomes of the connection."""

import pytest
import trio

from tests.component.http.client.socket_engine import (
    CHUNKED,
    OK,
    ScriptedEngine,
    asking,
    chunk,
    hang_up,
    wait_for_the_client,
)


async def probed(client):
    """Send a probe, and return it with what it has found within a second."""
    probe = client.probe("/_ping")
    found = None
    with trio.move_on_after(1):
        while (found := probe.look()) is None:  # noqa: ASYNC110  (a probe wakes nobody)
            await trio.sleep(0.001)
    return probe, found


async def test_a_probe_uses_a_kept_connection_again_and_again():
    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        await client.request("GET", "/version")
        for _ in range(3):
            _, found = await probed(client)
            assert found
        await client.request("GET", "/version")
    assert engine.connections == 1
    assert [seen.split()[1] for seen in engine.seen] == [
        b"/version", b"/_ping", b"/_ping", b"/_ping", b"/version",
    ]  # fmt: skip
    assert engine.seen[1] == engine.seen[0].replace(b"/version", b"/_ping")


async def test_no_probe_is_sent_without_a_kept_connection():
    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        assert client.probe("/_ping") is None
        await client.request("GET", "/version")
        first = client.probe("/_ping")
        assert client.probe("/_ping") is None  # the connection is in use
        first.close()
        assert client.probe("/_ping") is None


async def test_probes_close_connections_that_are_not_needed_any_more(monkeypatch):
    engine = ScriptedEngine(slow_ok, slow_ok, slow_ok, OK)
    async with asking(engine) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client.request, "GET", "/version")
        assert engine.open > 1
        monkeypatch.setattr("swarmcore.http.client.client._IDLE_SECONDS", 0.0)
        with trio.fail_after(30):
            while engine.open > 1:
                _, found = await probed(client)
                assert found


async def slow_ok(stream):
    await trio.sleep(0.05)
    await stream.send_all(OK)


async def in_pieces(stream):
    for byte in OK:
        await stream.send_all(bytes([byte]))
        await trio.sleep(0.001)


async def test_an_answer_may_come_in_pieces():
    engine = ScriptedEngine(OK, in_pieces)
    async with asking(engine) as client:
        await client.request("GET", "/version")
        assert (await probed(client))[1]
    assert engine.connections == 1


async def test_without_an_answer_a_probe_finds_nothing_and_closing_it_closes_the_connection():
    engine = ScriptedEngine(OK, wait_for_the_client, OK)
    async with asking(engine) as client:
        await client.request("GET", "/version")
        probe, found = await probed(client)
        assert found is None
        assert engine.open == 1
        probe.close()
        await client.request("GET", "/version")
        with trio.fail_after(5):
            while engine.open > 1:  # noqa: ASYNC110  (nothing tells of it)
                await trio.sleep(0.001)


@pytest.mark.parametrize(
    "script",
    [
        hang_up,
        OK + OK,
        CHUNKED + chunk(b"OK") + chunk(b""),
        OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 5000,
        b"what?\r\n\r\n",
    ],
    ids=["an end", "more", "chunks", "the last answer", "a long head", "no HTTP"],
)
async def test_what_is_no_short_plain_answer_makes_a_probe_useless(script):
    engine = ScriptedEngine(OK, script, OK)
    async with asking(engine) as client:
        await client.request("GET", "/version")
        assert (await probed(client))[1] is False
        assert client.probe("/_ping") is None
        await client.request("GET", "/version")
    assert engine.connections == 2
