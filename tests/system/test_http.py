"""HTTP as Go engines implement it: paths, upgrades, expectations, and clients that disconnect."""

import socket
import struct
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.system.tars import tar_of

pytestmark = pytest.mark.docker

SECONDS = 60
CONNECTIONS = ((), ("Connection: Upgrade",), ("Connection: close",))
PROTOCOLS = ("", "tcp", "h2c", "websocket")
SECRET = tar_of("secret", b"x" * 1000)


@pytest.fixture(scope="module")
def boxes(shared_fleet):
    """A running container on each engine, with the engine's name."""
    docker = shared_fleet.docker()
    for name in shared_fleet.engines:
        docker("run", "-d", "--name", name, "-e", f"constraint:node=={name}", "busybox",
               "sh", "-c", "trap exit TERM; while sleep 1; do echo on; done")  # fmt: skip
    yield
    docker("rm", "-f", *shared_fleet.engines)


@pytest.fixture(scope="module")
def addresses(shared_fleet):
    """The address of each engine, and the manager's at the end."""
    direct = {name: engine.address for name, engine in shared_fleet.engines.items()}
    return {**direct, "manager": f"127.0.0.1:{shared_fleet.manager.port}"}


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def head_of(client: socket.socket) -> tuple[int, dict[str, str]]:
    """Read the status and headers of the next answer, and no byte after them."""
    seen = b""
    while not seen.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, seen
        seen += byte
    first, *lines = seen.decode().strip().split("\r\n")
    headers = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines}
    return int(first.split()[1]), headers


def ask(address: str, line: str, *headers: str, body: bytes = b"") -> Any:
    """Send one request; return status, and the headers about the further connection."""
    with connect(address) as client:
        lines = [f"{line} HTTP/1.1", "Host: x", *headers, "", ""]
        client.sendall("\r\n".join(lines).encode() + body)
        status, told = head_of(client)
    return status, told.get("location"), told.get("upgrade")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_path_that_is_not_clean_is_redirected(addresses, method):
    for path in ("//v1.41/_ping", "/v1.41//containers/json?all=1&x=//", "/v1.41/./_ping"):
        answers = {ask(address, f"{method} {path}", "Content-Length: 0") for address in
                   addresses.values()}  # fmt: skip
        assert [status for status, *_ in answers] == [301], answers


@pytest.mark.parametrize(
    "path",
    [
        "/v1.41/x/../_ping", "/../_ping", "/v1.41/%2e%2e/_ping?a=b;c", "/v1.41/x%2f..%2f_ping",
        "/v1.41/_ping/.", "/_ping//", "//", "/v1.41/containers/a//b/json", "/v1.41//%5fping?x=1",
        "http://h//v1.41/_ping", "/v1.41/containers/../json", "/a//b%20c%25%3fd!'()*$&+,:;=@~",
    ],
)  # fmt: skip
def test_dots_and_slashes_lead_where_an_engine_sends_them(addresses, path):
    answers = {ask(address, f"GET {path}") for address in addresses.values()}
    assert [status for status, *_ in answers] == [301], answers


@pytest.mark.parametrize(
    "line",
    [
        "POST /v1.41/containers/{}/attach?stream=1&stdout=1",
        "POST /v1.41/session",
        "POST /v1.41/grpc",
        "GET /v1.41/containers/{}/logs?stdout=1",
        "GET /v1.41/containers/{}/attach/ws?stream=1&stdout=1",
        "GET /v1.41/_ping",
    ],
)
def test_upgrades_are_recognised_as_by_an_engine(boxes, addresses, line):
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    for number, (connection, protocol) in enumerate(product(CONNECTIONS, PROTOCOLS)):
        headers = [*connection, "Sec-WebSocket-Version: 13", key, "Origin: http://x"]
        # An engine knows a session by its id, and takes no second one of it.
        headers.append(f"X-Docker-Expose-Session-Uuid: {quote(line, safe='')}{number}")
        if protocol:
            headers.append(f"Upgrade: {protocol}")
        if line.startswith("POST"):
            headers.append("Content-Length: 0")
        direct = ask(addresses["new"], line.format("new"), *headers)
        assert ask(addresses["manager"], line.format("new"), *headers) == direct, headers


@pytest.mark.parametrize("named", ["expect", "content-length", "content-type", "close, Expect"])
def test_the_connection_header_cannot_remove_essential_headers(boxes, addresses, named):
    for name, address in addresses.items():
        box = "new" if name == "manager" else name
        with connect(address) as client:
            lines = [f"PUT /v1.41/containers/{box}/archive?path=/tmp HTTP/1.1", "Host: x",
                     f"Connection: {named}", "Content-Type: application/x-tar",
                     "Expect: 100-continue", f"Content-Length: {len(SECRET)}", "", ""]  # fmt: skip
            client.sendall("\r\n".join(lines).encode())
            assert head_of(client)[0] == 100
            client.sendall(SECRET)
            assert head_of(client)[0] == 200
        assert ask(address, f"HEAD /v1.41/containers/{box}/archive?path=/tmp/secret")[0] == 200


def test_no_request_outlives_its_client(boxes, shared_fleet, wait_until):
    """This includes requests that offer an upgrade, and requests whose body was never read."""
    descriptors = Path(f"/proc/{shared_fleet.manager.process.pid}/fd")
    address = f"127.0.0.1:{shared_fleet.manager.port}"
    before = len(list(descriptors.iterdir()))
    upgrade = ["Connection: Upgrade", "Upgrade: tcp"]
    for line, headers in (
        ("POST /v1.41/containers/new/wait", [*upgrade, "Content-Length: 0"]),
        ("GET /v1.41/containers/new/logs?stdout=1&follow=1&tail=0", upgrade),
        ("GET /v1.41/containers/new/stats", ["Upgrade: tcp"]),
        ("PUT /v1.41/containers/old/archive?path=/tmp",
         ["Connection: expect", "Expect: 100-continue", "Content-Length: 9"]),
        ("POST /v1.41/containers/new/attach?stream=1&stdout=1", ["Content-Length: 0", *upgrade]),
    ):  # fmt: skip
        for end in ("close", "reset") * 4:
            with connect(address) as client:
                lines = [f"{line} HTTP/1.1", "Host: x", *headers, "", ""]
                client.sendall("\r\n".join(lines).encode())
                head_of(client)
                if end == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    kept = 8 * len(shared_fleet.engines)  # for the next requests
    wait_until(
        lambda: len(list(descriptors.iterdir())) <= before + kept, "connections to be closed", 60
    )


def test_a_version_of_thousands_of_digits_is_refused(addresses):
    for address in addresses.values():
        assert ask(address, f"GET /v{'9' * 5000}.1/_ping")[0] == 400
