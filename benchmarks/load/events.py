"""Events: the time from the moment when an engine makes one until each listener has it."""

import select
import socket
import time
from collections.abc import Iterator
from time import perf_counter
from typing import Any
from urllib.parse import quote

from benchmarks.load.messages import Unexpected, ask, connect, read_head, request

_SILENT_SECONDS = 30.0
_API = "/v1.41"
_NANO = b'"timeNano":'
_END = b"}\n"


class Listeners:
    """The listeners to a server's events, kept between measurements."""

    def __init__(self) -> None:
        self._ears: dict[int, _Ear] = {}
        self._poll = select.epoll()

    def listen(self, port: int, listeners: int) -> dict[str, Any]:
        """Let *listeners* clients follow the events of *port*, and end the previous ones."""
        for ear in self._ears.values():
            ear.sock.close()
        self._poll.close()
        self._poll = select.epoll()
        ears = [_Ear(connect(port)) for _ in range(listeners)]
        self._ears = {ear.sock.fileno(): ear for ear in ears}
        for descriptor in self._ears:
            self._poll.register(descriptor, select.EPOLLIN)
        return {"listeners": listeners}

    def hear_events(
        self, engine_port: int, container: str, action: str, seconds: float
    ) -> dict[str, Any]:
        """Let an engine make events, each when all listeners have the previous one.

        Args:
            engine_port: the engine's own port.
            container: a container on that engine.
            action: the action of the event; ``pause`` pauses and unpauses in turn.
            seconds: how long new events are made.
        """
        triggers = _triggers(container, action)
        firsts, lasts = list[float](), list[float]()
        with connect(engine_port) as engine:
            began = perf_counter()
            while perf_counter() < began + seconds or len(lasts) % 2:
                ask(engine, next(triggers))
                first, last = _hear(self._poll, self._ears)
                firsts.append(first)
                lasts.append(last)
            return _told(firsts, lasts, len(self._ears), perf_counter() - began)


class _Ear:
    """One listener."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.sendall(request("GET", f"{_API}/events"))
        status, _ = read_head(sock)
        if status != 200:
            raise Unexpected(f"events: status {status}")
        self._rest = b""

    def take(self) -> bytes | None:
        """Receive; return the data if it contains a whole event."""
        data = self.sock.recv(65536)
        if not data:
            raise Unexpected("the event stream ended")
        self._rest += data
        if _END not in self._rest:
            return None
        event, self._rest = self._rest, b""
        return event


def _hear(poll: select.epoll, ears: "dict[int, _Ear]") -> tuple[float, float]:
    """Wait until every listener has one more event; return seconds to the first and last."""
    made, first, now, left = 0, 0.0, 0.0, len(ears)
    while left:
        ready = poll.poll(_SILENT_SECONDS)
        if not ready:
            raise Unexpected(f"an event did not reach {left} of {len(ears)} listeners")
        for descriptor, _ in ready:
            event = ears[descriptor].take()
            if event is None:
                continue
            now = time.time()
            if not made:
                made = int(event.partition(_NANO)[2].partition(b"}")[0].partition(b",")[0])
                first = now - made / 1e9
            left -= 1
    return first, now - made / 1e9


def _triggers(container: str, action: str) -> Iterator[bytes]:
    """Yield requests to the engine, each of which causes one event."""
    while True:
        if action == "pause":
            yield request("POST", f"{_API}/containers/{container}/pause")
            yield request("POST", f"{_API}/containers/{container}/unpause")
        else:
            target = f"/benchmark/emit?container={container}&action={quote(action)}"
            yield request("POST", target)


def _told(
    firsts: list[float], lasts: list[float], listeners: int, seconds: float
) -> dict[str, Any]:
    count = len(lasts)
    firsts.sort()
    lasts.sort()
    return {
        "operations": count,
        "deliveries": count * listeners,
        "seconds": seconds,
        "per_s": count / seconds,
        "p50_ms": firsts[count // 2] * 1e3,
        "p99_ms": firsts[count * 99 // 100] * 1e3,
        "last_p50_ms": lasts[count // 2] * 1e3,
    }
