"""Many concurrent clients, each of which waits for its answer before its next request."""

import select
import socket
import ssl
from array import array
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from benchmarks.load.messages import (
    RECEIVE_BYTES,
    Address,
    Answer,
    Unexpected,
    ask,
    check,
    connect,
    request,
)

_SILENT_SECONDS = 120.0
_BUFFER = memoryview(bytearray(RECEIVE_BYTES))

#: The work of one client: it yields a request and the name of its series, and gets the answer.
Script = Generator[tuple[bytes, str], Answer, None]


@dataclass(slots=True)
class Conversation:
    """The measurement.

    Attributes:
        seconds: the time from the first request to the last answer.
        times: the seconds of each answer, by series.
        received: the bytes of all answers.
    """

    seconds: float = 0.0
    times: dict[str, "array[float]"] = field(default_factory=dict)
    received: int = 0


class Clients:
    """The connections of clients, made before a conversation is measured, and closed after it."""

    def __init__(self) -> None:
        self._socks: list[socket.socket] = []

    def connect(self, address: Address, clients: int, target: str = "") -> dict[str, Any]:
        """Connect clients; each sends GET *target* once, unless *target* is empty.

        Raises:
            Unexpected: an answer is not a success.
        """
        self._close()
        for _ in range(clients):
            self._socks.append(connect(address))
            if target:
                ask(self._socks[-1], request("GET", target))
            # A timeout of the socket would cost a second system call; epoll has its own timeout.
            self._socks[-1].settimeout(None)
        return {"clients": clients}

    def converse(self, make_script: Callable[[], Script]) -> Conversation:
        """Run a script for each client at the same time, until all have ended.

        Args:
            make_script: makes the script of one client.

        Raises:
            Unexpected: some answer is not a success, or is missing.
        """
        told = Conversation()
        talks = {sock.fileno(): _Talk(sock, make_script(), told) for sock in self._socks}
        with select.epoll() as poll:
            for descriptor in talks:
                poll.register(descriptor, select.EPOLLIN)
            began = perf_counter()
            waiting = sum(talk.begin() for talk in talks.values())
            while waiting:
                ready = poll.poll(_SILENT_SECONDS)
                if not ready:
                    raise Unexpected(f"no answer within {_SILENT_SECONDS:.0f} s")
                for descriptor, _ in ready:
                    waiting -= talks[descriptor].ready()
            told.seconds = perf_counter() - began
        self._close()
        return told

    def _close(self) -> None:
        while self._socks:
            self._socks.pop().close()


class _Talk:
    """The connection of one client."""

    __slots__ = ("_answer", "_began", "_pending", "_script", "_series", "_told", "sock")

    def __init__(self, sock: socket.socket, script: Script, told: Conversation) -> None:
        self.sock = sock
        #: Bytes that TLS has decrypted, which epoll does not see.
        self._pending = sock.pending if isinstance(sock, ssl.SSLSocket) else int
        self._script = script
        self._told = told
        self._series = ""
        self._began = 0.0
        self._answer = Answer()

    def begin(self) -> bool:
        """Send the first request; return whether there is one."""
        try:
            data, self._series = next(self._script)
        except StopIteration:
            return False
        self._ask(data)
        return True

    def _ask(self, data: bytes) -> None:
        self._answer = Answer()
        self._began = perf_counter()
        self.sock.sendall(data)

    def ready(self) -> bool:
        """Receive; return whether the script has ended."""
        answer = self._answer
        while True:
            size = self.sock.recv_into(_BUFFER)
            if not size:
                raise Unexpected("the connection ended before the answer did")
            if answer.take(_BUFFER[:size]):
                break
            if not self._pending():
                return False
        told, took = self._told, perf_counter() - self._began
        check(answer)
        told.received += answer.size
        series = told.times.get(self._series)
        if series is None:
            series = told.times[self._series] = array("d")
        series.append(took)
        try:
            data, self._series = self._script.send(answer)
        except StopIteration:
            return True
        self._ask(data)
        return False
