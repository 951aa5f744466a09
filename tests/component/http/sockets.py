"""Plain sockets that are connected to each other."""

import socket

import trio

from swarmcore.http.plain_sockets import quickened


def connected(buffer_bytes):
    """Return two plain sockets.

    Args:
        buffer_bytes: the size of the buffers for sending.
    """
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    return [quickened(trio.SocketStream(trio.socket.from_stdlib_socket(end))) for end in ends]


async def read_all(stream, *, pause=0.0):
    """Receive to the end, with a pause after each piece in seconds."""
    seen = bytearray()
    while data := await stream.receive_some():
        seen += data
        if pause:
            await trio.sleep(pause)
    return bytes(seen)
