"""Fixtures for sockets."""

import pytest

from tests.component.http.sockets import connected


@pytest.fixture
async def pair():
    """Yield a function that connects two plain sockets, by default with small buffers."""
    opened = []

    def pair(buffer_bytes=1 << 14):
        streams = connected(buffer_bytes)
        opened.extend(streams)
        return streams

    yield pair
    for stream in opened:
        await stream.aclose()
