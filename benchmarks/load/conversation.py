"""Many clients at once, each of which waits for its answer before it asks again."""

import select
import socket
from array import array
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.load.messages import RECEIVE_BYTES, Answer, Unexpected, check, connect

_SILENT_SECONDS = 120.0
_BUFFER = memoryview(bytearray(RECEIVE_BYTES))

#: What one client does: yields a request and the name of its series, gets the answer.
Script = Generator[tuple[bytes, str], Answer, None]


@dataclass(slots=True)
class Conversation:
    """What was measured.

    Attributes:
        seconds: from the first request to the last answer.
        times: seconds of each answer, by series.
        received: bytes of all answers.
    """

    seconds: float = 0.0
    times: dict[str, "array[float]"] = field(default_factory=dict)
    received: int = 0


def converse(port: int, scripts: Sequence[Script]) -> Conversation:
    """Run *scripts* at once, each on a connection of its own, until all have ended.

    Args:
        port: of loopback.
        scripts: what the clients ask.

    Raises:
        Unexpected: some answer is no success, or none comes.
    """
    told = Conversation()
    talks: dict[int, _Talk] = {}
    poll = select.epoll()
    for script in scripts:
        talk = _Talk(connect(port), script, told)
        talks[talk.sock.fileno()] = talk
        poll.register(talk.sock.fileno(), select.EPOLLIN)
    began = perf_counter()
    waiting = sum(talk.begin() for talk in talks.values())
    while waiting:
        ready = poll.poll(_SILENT_SECONDS)
        if not ready:
            raise Unexpected(f"no answer within {_SILENT_SECONDS:.0f} s")
        for descriptor, _ in ready:
            waiting -= talks[descriptor].ready()
    told.seconds = perf_counter() - began
    for talk in talks.values():
        talk.sock.close()
    poll.close()
    return told


class _Talk:
    """One client's connection."""

    __slots__ = ("_answer", "_began", "_script", "_series", "_told", "sock")

    def __init__(self, sock: socket.socket, script: Script, told: Conversation) -> None:
        self.sock = sock
        self._script = script
        self._told = told
        self._series = ""
        self._began = 0.0
        self._answer = Answer()

    def begin(self) -> bool:
        """Ask for the first time; whether there was anything to ask."""
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
        """Take what has come; whether the script has ended."""
        size = self.sock.recv_into(_BUFFER)
        if not size:
            raise Unexpected("the connection ended before the answer did")
        answer = self._answer
        if not answer.take(_BUFFER[:size]):
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
