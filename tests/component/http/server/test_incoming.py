"""The receiving side of a client's connection, while another task reads the body."""

import trio
import trio.testing

from swarmcore.http.messages import Client
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.heads import KnownHeads
from swarmcore.http.server.incoming import Incoming


async def test_a_client_that_leaves_is_noticed_although_it_once_sent_more_than_is_read_ahead():
    client, server = trio.testing.memory_stream_pair()
    limits = Limits()
    incoming = Incoming(server, Client("10.0.0.9"), limits, KnownHeads())
    size = 2 * limits.ahead_bytes
    head = b"POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    await client.send_all(head)
    await incoming.read_head()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await client.send_all(bytes(size))
            nursery.start_soon(incoming.wait_gone)
            await trio.testing.wait_all_tasks_blocked()
            while size:
                size -= len(await incoming.read_chunk())
            await client.aclose()
