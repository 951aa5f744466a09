"""TLS with openssl's own client and server; both sides verify each other."""

import re
import shutil
import subprocess
from functools import partial

import pytest
import trio
import trustme

from swarmcore.http.tls import TLSListener, TLSStream, client_context, server_context
from swarmcore.model import TLSFiles

OPENSSL = shutil.which("openssl")

pytestmark = pytest.mark.skipif(not OPENSSL, reason="needs the openssl command")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One certificate, valid for both sides."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    certificate = ca.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    both = str(folder / "both.pem")
    return TLSFiles(str(folder / "ca.pem"), both, both)


def shown(files):
    """Return the options with which openssl uses the certificate and the CA."""
    return ["-CAfile", files.ca, "-cert", files.cert, "-key", files.key]


async def test_the_client_gets_an_answer_and_its_end(files, nursery):
    async def answer(stream):
        async with stream:
            await stream.do_handshake()
            line = await stream.receive_some()
            await stream.send_all(b"you said " + line)
            await stream.send_eof()

    (plain,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listener = TLSListener(plain, server_context(files))
    nursery.start_soon(trio.serve_listeners, answer, [listener])
    port = plain.socket.getsockname()[1]
    command = [OPENSSL, "s_client", "-quiet", "-verify_return_error", *shown(files)]
    command += ["-connect", f"127.0.0.1:{port}"]
    done = await trio.run_process(
        command, stdin=b"hello\n", capture_stdout=True, capture_stderr=True
    )
    assert done.stdout == b"you said hello\n"


async def test_the_server_answers_and_ends_when_we_do(files, nursery):
    command = [OPENSSL, "s_server", "-rev", "-naccept", "1", "-accept", "127.0.0.1:0"]
    command += ["-Verify", "1", *shown(files)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = await nursery.start(partial(trio.run_process, command, **pipes))
    said = b""
    while not (accepting := re.search(rb"ACCEPT \S+:(\d+)\n", said)):
        piece = await process.stdout.receive_some()
        assert piece, said
        said += piece
    connection = await trio.open_tcp_stream("127.0.0.1", int(accepting[1]))
    async with TLSStream(connection, client_context(files), server_hostname="localhost") as stream:
        await stream.do_handshake()
        await stream.send_all(b"hello\n")
        assert await stream.receive_some() == b"olleh\n"
        await stream.send_eof()
        assert not await stream.receive_some()
    await process.wait()
    await process.stdout.aclose()
