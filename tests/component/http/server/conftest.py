"""A server, and connections to it."""

import pytest
import trio
import trio.testing

from swarmcore.http.server import Limits, Server
from tests.component.http.server.peers import Peer, echo


@pytest.fixture
def connect(nursery):
    """Yield a function that opens a connection to a server with the given handler."""

    def connect(handler=echo, **limits):
        ours, theirs = trio.testing.memory_stream_pair()
        server = Server(handler, limits=Limits(**limits))
        nursery.start_soon(server.serve_connection, theirs)
        return Peer(ours)

    return connect
