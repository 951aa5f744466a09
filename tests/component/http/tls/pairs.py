"""Certificates, and pairs of connected TLS streams."""

import hashlib
import random
import socket

import trio
import trustme

from swarmcore.http.tls import TLSStream
from swarmcore.model import TLSFiles

CHUNK = 100_000
MUCH = random.Random(1).randbytes(10_000_000)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Files:
    """PEM files: a CA, a server's certificate, and a client's certificate of that CA."""

    def __init__(self, folder):
        self.folder = folder
        ca = trustme.CA()
        ca.cert_pem.write_to_path(folder / "ca.pem")
        self._write("server", ca.issue_cert("localhost", "127.0.0.1"))
        self._write("client", ca.issue_cert("ops@example.org", common_name="ops"))
        self._write("stranger", trustme.CA().issue_cert("localhost"))

    def _write(self, name, certificate):
        certificate.cert_chain_pems[0].write_to_path(self.folder / f"{name}.pem")
        certificate.private_key_pem.write_to_path(self.folder / f"{name}.key")

    def of(self, name, *, verify=True):
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        return TLSFiles(str(self.folder / "ca.pem"), str(cert), str(key), verify)


async def agree(client, server):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.do_handshake)
        nursery.start_soon(server.do_handshake)


async def tls_pair(contexts, ends):
    """Two ends of one connection, after the handshake."""
    client = TLSStream(ends[0], contexts[0], server_hostname="localhost")
    server = TLSStream(ends[1], contexts[1], server_side=True)
    await agree(client, server)
    return client, server


def socket_ends():
    """Return the two ends of a real connection, whose buffers can fill up."""
    return tuple(
        trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in tcp_socket_pair()
    )


def tcp_socket_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    return ours, theirs


async def read_all(stream):
    data = bytearray()
    while piece := await stream.receive_some():
        data += piece
    return bytes(data)
