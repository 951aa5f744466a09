"""Bytes through one connection, in one direction or in both."""

import json
import select
import socket
from collections.abc import Callable
from time import perf_counter
from typing import Any

from benchmarks.fake_engines.bodies import END_OF_CHUNKS, Pour, raw_frames, zeros
from benchmarks.load.messages import (
    RECEIVE_BYTES,
    Address,
    Answer,
    Unexpected,
    ask,
    check,
    connect,
    read_head,
    request,
)
from benchmarks.load.scripts import id_of

_SILENT_MILLISECONDS = 120_000
_API = "/v1.41"
_UPGRADE = ("Connection: Upgrade", "Upgrade: tcp")
_BUFFER = memoryview(bytearray(RECEIVE_BYTES))
_Figures = dict[str, Any]


def download(address: Address, target: str) -> _Figures:
    """Read a stream to its end."""
    with connect(address) as sock:
        began = perf_counter()
        sock.sendall(request("GET", target))
        status, rest = read_head(sock)
        if status != 200:
            raise Unexpected(f"GET {target}: status {status}: {rest[:500]!r}")
        size, end = len(rest), rest[-5:]
        while end != END_OF_CHUNKS:
            count = sock.recv_into(_BUFFER)
            if not count:
                raise Unexpected(f"GET {target}: the answer ended after {size} bytes")
            size += count
            end = (end + _BUFFER[max(0, count - 5) : count].tobytes())[-5:]
        return _told(size, began)


def run_exec(port: int, container: str, size: int) -> _Figures:
    """Run a command that writes *size* bytes."""
    with connect(port) as sock:
        body = {"AttachStdout": True, "Cmd": ["pour", str(size)]}
        target = f"{_API}/containers/{container}/exec"
        id = id_of(ask(sock, request("POST", target, json.dumps(body).encode())))
    with connect(port) as sock:
        began = perf_counter()
        body = {"Detach": False, "Tty": False}
        data = json.dumps(body).encode()
        sock.sendall(request("POST", f"{_API}/exec/{id}/start", data, _UPGRADE))
        got = len(_hijack(sock))
        while count := sock.recv_into(_BUFFER):
            got += count
        if got < size:
            raise Unexpected(f"the exec ended after {got} of {size} bytes")
        return _told(got, began)


def echo(port: int, container: str, size: int) -> _Figures:
    """Attach to a container that sends back what it gets, and send it *size* bytes."""
    with connect(port) as sock:
        target = f"{_API}/containers/{container}/attach?stream=1&stdin=1&stdout=1"
        sock.sendall(request("POST", target, headers=_UPGRADE))
        rest = _hijack(sock)
        began = perf_counter()
        got = len(rest)

        def take(piece: memoryview) -> bool:
            nonlocal got
            got += len(piece)
            return False

        _both_ways(sock, Pour(raw_frames(), size), take, ends_input=True)
        if got < size:
            raise Unexpected(f"the attach ended after {got} of {size} bytes")
        return _told(got, began)


def upload(port: int, method: str, target: str, size: int) -> _Figures:
    """Send a chunked body of *size* bytes, and read the answer at the same time."""
    headers = ("Content-Type: application/x-tar", "Transfer-Encoding: chunked")
    with connect(port) as sock:
        began = perf_counter()
        sock.sendall(request(method, target, headers=headers))
        pour = Pour(zeros(), size, END_OF_CHUNKS)
        answer = Answer()
        _both_ways(sock, pour, answer.take)
        check(answer)
        return _told(size, began)


def _hijack(sock: socket.socket) -> bytes:
    status, rest = read_head(sock)
    if status not in (101, 200):
        raise Unexpected(f"status {status}: {rest[:500]!r}")
    return rest


def _both_ways(
    sock: socket.socket,
    pour: Pour,
    take: Callable[[memoryview], bool],
    *,
    ends_input: bool = False,
) -> None:
    """Send *pour* and receive, until *take* returns true or the other side ends.

    Args:
        sock: a connected socket.
        pour: the data to send.
        take: gets received data; returns whether it was the last.
        ends_input: whether to shut down the sending direction at the end.
    """
    sock.setblocking(False)
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLOUT)
    sending = True
    while True:
        ready = poll.poll(_SILENT_MILLISECONDS)
        if not ready:
            raise Unexpected("nothing moved any more")
        mask = ready[0][1]
        if mask & (select.POLLIN | select.POLLHUP | select.POLLERR):
            count = sock.recv_into(_BUFFER)
            if not count or take(_BUFFER[:count]):
                return
        if sending and mask & select.POLLOUT and not (sending := _send(sock, pour)):
            poll.modify(sock, select.POLLIN)
            if ends_input:
                sock.shutdown(socket.SHUT_WR)


def _send(sock: socket.socket, pour: Pour) -> bool:
    """Send what the socket accepts; return whether there is more."""
    piece = pour.next()
    if piece:
        pour.sent(sock.send(piece))
    return bool(pour.next())


def _told(size: int, began: float) -> _Figures:
    seconds = perf_counter() - began
    return {"bytes": size, "seconds": seconds, "mb_per_s": size / 1e6 / seconds}
