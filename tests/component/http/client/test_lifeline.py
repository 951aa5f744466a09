"""Signs of life on open connections, with real sockets."""

import socket

import pytest
import trio

from swarmcore.addresses import Address
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client.dial import Dialer, is_readable
from swarmcore.http.client.lifeline import Lifeline


class Peer:
    """Listens on loopback, and sends what a test sets."""

    def __init__(self, listener):
        self.listener = listener
        self.address = Address("tcp", *listener.socket.getsockname()[:2])

    async def accept(self):
        return await self.listener.accept()


@pytest.fixture
async def peer():
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        yield Peer(listener)


async def test_received_bytes_are_always_a_sign_of_life(peer):
    lifeline = Lifeline()
    dialer = Dialer(peer.address, lifeline=lifeline)
    async with await dialer.dial() as ours, await peer.accept() as theirs:
        began = trio.current_time()
        assert not lifeline.has_sign_since(began)
        await theirs.send_all(b"x")
        assert await ours.receive_some(10) == b"x"
        assert lifeline.has_sign_since(began)
        assert not lifeline.has_sign_since(trio.current_time())


async def test_an_acknowledgement_is_a_sign_only_if_connecting_fails(peer):
    lifeline = Lifeline()
    dialer = Dialer(peer.address, lifeline=lifeline)
    async with await dialer.dial(), await peer.accept():
        assert lifeline.takes_connections
        assert not lifeline.has_sign_since(trio.current_time())
        await peer.listener.aclose()
        with pytest.raises(EngineUnreachable) as caught:
            await dialer.dial()
        assert not caught.value.silent
        assert not lifeline.takes_connections
        lifeline.hurry()
        assert lifeline.has_sign_since(trio.current_time())
    assert not lifeline.has_sign_since(trio.current_time()), "closed connections tell nothing"


async def test_the_kernel_asks_every_second_while_it_is_urgent(peer):
    lifeline = Lifeline()
    dialer = Dialer(peer.address, lifeline=lifeline)

    def idle_seconds(stream):
        inner = stream.transport_stream.socket
        return inner.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)

    async with await dialer.dial() as before:
        assert idle_seconds(before) == 30
        lifeline.hurry()
        async with await dialer.dial() as after:
            assert (idle_seconds(before), idle_seconds(after)) == (1, 1)
            lifeline.relax()
            assert (idle_seconds(before), idle_seconds(after)) == (30, 30)


async def test_a_watched_connection_ends_as_any_other(peer):
    dialer = Dialer(peer.address, lifeline=Lifeline())
    async with await dialer.dial() as ours, await peer.accept() as theirs:
        assert not is_readable(ours)
        await ours.send_eof()
        assert await theirs.receive_some(1) == b""
        await theirs.send_all(b"bye")
        await theirs.send_eof()
        assert await ours.receive_some(10) == b"bye"
        assert await ours.receive_some(10) == b""
        assert is_readable(ours)


async def test_a_connection_that_ended_at_once_is_no_sign(peer):
    lifeline = Lifeline()
    with trio.move_on_after(0):
        await Dialer(peer.address, lifeline=lifeline).dial()
    assert lifeline.takes_connections
