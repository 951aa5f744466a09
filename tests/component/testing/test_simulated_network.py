"""The network of a simulation: latency, cuts, broken connections."""

from random import Random

import pytest
import trio

from swarmcore.testing.simulation.hosts.network import Network


async def pair(network):
    """Return a client's end, the server's end, the link between them, and the server."""
    client, server = network.host("c", "10.0.0.1"), network.host("s", "10.0.0.2")
    listener = await server.listen("10.0.0.2", 80)
    near = await client.connect("10.0.0.2", 80)
    return near, await listener.accept(), network.link("10.0.0.1", "10.0.0.2"), server


@pytest.fixture
def network():
    return Network(Random(1))


async def test_data_arrives_in_order_after_some_time(autojump_clock, network):
    near, far, _, _ = await pair(network)
    began = trio.current_time()
    await near.send_all(b"one")
    await near.send_all(b"two")
    assert not far.is_readable
    assert await far.receive_some(2) + await far.receive_some() + await far.receive_some()
    assert trio.current_time() > began
    assert far.receive_now(10) is None


async def test_a_cut_link_keeps_data_until_it_is_mended(autojump_clock, network):
    near, far, link, _ = await pair(network)
    link.cut()
    await near.send_all(b"late")
    with trio.move_on_after(100) as waiting:
        await far.receive_some()
    assert waiting.cancelled_caught
    link.mend()
    assert await far.receive_some() == b"late"


async def test_connecting_over_a_cut_link_takes_until_it_is_mended(autojump_clock, network):
    _, _, link, _ = await pair(network)
    link.cut()
    with trio.move_on_after(100) as waiting:
        await network.host("c", "10.0.0.1").connect("10.0.0.2", 80)
    assert waiting.cancelled_caught


async def test_a_port_where_nobody_listens_refuses_connections(autojump_clock, network):
    with pytest.raises(ConnectionRefusedError):
        await network.host("c", "10.0.0.1").connect("10.0.0.2", 81)


async def test_the_end_of_a_process_breaks_its_connections(autojump_clock, network):
    near, _, _, server = await pair(network)
    server.break_connections()
    with pytest.raises(trio.BrokenResourceError):
        await near.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await near.send_all(b"x")
    assert near.receive_now(10) == b""
    assert server.connection_count == 0


async def test_a_closed_end_is_seen_by_the_other(autojump_clock, network):
    near, far, _, _ = await pair(network)
    await near.send_all(b"last")
    await near.aclose()
    assert await far.receive_some() == b"last"
    assert await far.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        await far.send_all(b"x")
    with pytest.raises(trio.ClosedResourceError):
        await near.receive_some()
