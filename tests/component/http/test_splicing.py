"""Large pieces of tunnels stay in the kernel; nothing is lost or mixed up, whatever goes wrong."""

import errno
import os
import random
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from swarmcore.http import plain_sockets, splicing
from swarmcore.http.proxy.tunnel import tunnel
from tests.component.http.sockets import read_all

LARGE_BUFFER = 1 << 20
MUCH = 8 << 20
CALLS = ("SPLICE_F_MOVE", "SPLICE_F_NONBLOCK", "O_NONBLOCK", "O_CLOEXEC", "pipe2", "close")


@pytest.fixture
def counts(monkeypatch):
    """Bytes that were received into memory, and bytes that were spliced."""
    counts = {"readv": 0, "splice": 0}

    def counted(name):
        def call(*arguments, **options):
            count = getattr(os, name)(*arguments, **options)
            counts[name] += count
            return count

        return call

    kept = {name: getattr(os, name) for name in ("read", "write", "writev")}
    monkeypatch.setattr(plain_sockets, "os", SimpleNamespace(readv=counted("readv"), **kept))
    kept = {name: getattr(os, name) for name in CALLS}
    monkeypatch.setattr(splicing, "os", SimpleNamespace(splice=counted("splice"), **kept))
    return counts


@pytest.fixture(autouse=True)
def no_spare(monkeypatch):
    """No pipes of earlier tests; those of this test are closed."""
    spare = []
    monkeypatch.setattr(splicing, "_spare", spare)
    yield spare
    for pipe in spare:
        pipe.close()


async def carry(pair, data, *, pause=0.0):
    """Return what arrives of *data* through a tunnel."""
    (client, near), (far, engine) = pair(LARGE_BUFFER), pair(LARGE_BUFFER)

    async def send():
        await client.send_all(data)
        await client.send_eof()

    seen = b""
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tunnel, near, far)
            nursery.start_soon(send)
            seen = await read_all(engine, pause=pause)
            await engine.send_eof()
    return seen


async def test_little_of_a_large_transfer_is_copied(pair, counts):
    data = random.Random(1).randbytes(MUCH)
    assert await carry(pair, data) == data
    assert counts["readv"] < MUCH / 4
    assert counts["splice"] > 2 * MUCH * 3 / 4  # into a pipe, and out of it


async def test_small_messages_take_no_pipe(pair, counts, no_spare):
    assert await carry(pair, b"small") == b"small"
    assert counts["splice"] == 0
    assert no_spare == []


async def test_slow_receivers_mix_nothing_up_and_leave_no_pipes(pair, no_spare):
    before = set(os.listdir("/proc/self/fd"))
    seen = {}

    async def run(number):
        data = random.Random(number).randbytes(MUCH // 4)
        seen[number] = await carry(pair, data, pause=0.0002 * number) == data

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(run, number)
    assert seen == dict.fromkeys(range(6), True)
    sockets = 6 * 4
    pipes = len(set(os.listdir("/proc/self/fd")) - before) - sockets
    assert pipes <= 2 * 4
    assert all(not pipe.held for pipe in no_spare)


async def test_a_cancelled_tunnel_takes_its_bytes_along(pair, no_spare):
    (client, near), (far, _) = pair(LARGE_BUFFER), pair(LARGE_BUFFER)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tunnel, near, far)
        nursery.start_soon(client.send_all, b"x" * MUCH)
        await trio.testing.wait_all_tasks_blocked()  # the other side receives nothing
        nursery.cancel_scope.cancel()
    data = random.Random(2).randbytes(MUCH)
    assert await carry(pair, data) == data


@pytest.mark.parametrize(
    ("call", "number"),
    [("splice", errno.EINVAL), ("splice", errno.ENOSYS), ("pipe2", errno.EMFILE)],
)
async def test_without_splice_the_bytes_are_copied(pair, counts, monkeypatch, call, number):
    tried = []

    def refuse(*arguments, **options):
        tried.append(call)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(splicing.os, call, refuse)
    data = random.Random(3).randbytes(MUCH)
    assert await carry(pair, data) == data
    assert counts["readv"] == MUCH
    assert len(tried) == 1


async def test_a_broken_receiver_ends_the_tunnel(pair):
    (client, near), (far, engine) = pair(LARGE_BUFFER), pair(LARGE_BUFFER)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tunnel, near, far)

            async def send():
                with pytest.raises(trio.BrokenResourceError):
                    await client.send_all(b"x" * (4 * MUCH))

            nursery.start_soon(send)
            for _ in range(20):
                await engine.receive_some(1 << 18)
            await engine.aclose()
            await trio.testing.wait_all_tasks_blocked()
            await near.aclose()
