"""The load generator's process: ``python -m benchmarks.load.process``.

It reads one command per line from standard input and answers each with a line.  A command is a JSON
object; ``kind`` names a function below, and the other keys are its arguments.
"""

import itertools
import json
import resource
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from benchmarks.load import events, scripts, streams
from benchmarks.load.conversation import Clients, Conversation
from benchmarks.load.messages import Unexpected, request

_Figures = dict[str, Any]


_CLIENTS = Clients()
_LISTENERS = events.Listeners()


def requests(targets: Sequence[str], seconds: float) -> _Figures:
    """Let all clients send GET *targets* in turn."""
    data = [request("GET", target) for target in targets]
    ends = perf_counter() + seconds
    return _told(_CLIENTS.converse(lambda: scripts.repeat(data, ends)), "all")


def lives(seconds: float) -> _Figures:
    """Let all clients create, start and remove containers."""
    ends = perf_counter() + seconds
    told = _CLIENTS.converse(lambda: scripts.live(ends))
    parts = {
        f"{name}_{key}": value
        for name, times in told.times.items()
        for key, value in _times(times).items()
    }
    count = len(told.times["remove"])
    return {"operations": count, "per_s": count / told.seconds, "seconds": told.seconds, **parts}


def changed_lists(port: int, engine_port: int, container: str, seconds: float) -> _Figures:
    """Let the client list all containers, each time after a change."""
    ends = perf_counter() + seconds
    told = _CLIENTS.converse(lambda: scripts.list_changed(port, engine_port, container, ends))
    return _told(told, "all")


def registrations(token: str, seconds: float) -> _Figures:
    """Let all clients register engines at a hub."""
    ends, numbers = perf_counter() + seconds, itertools.count()
    return _told(_CLIENTS.converse(lambda: scripts.register(ends, token, next(numbers))), "all")


def _told(told: Conversation, series: str) -> _Figures:
    times = told.times[series]
    return {
        "operations": len(times),
        "per_s": len(times) / told.seconds,
        "seconds": told.seconds,
        "bytes_each": told.received // len(times),
        **_times(times),
    }


def _times(times: "array[float]") -> _Figures:
    ordered = sorted(times)
    return {
        "p50_ms": ordered[len(ordered) // 2] * 1e3,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1e3,
    }


_KINDS: dict[str, Callable[..., _Figures]] = {
    "connect": _CLIENTS.connect,
    "requests": requests,
    "lives": lives,
    "changed_lists": changed_lists,
    "registrations": registrations,
    "download": streams.download,
    "run_exec": streams.run_exec,
    "echo": streams.echo,
    "upload": streams.upload,
    "listen": _LISTENERS.listen,
    "hear_events": _LISTENERS.hear_events,
}


def main() -> None:
    """Execute commands until standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for line in sys.stdin:
        command = json.loads(line)
        began = time.process_time()
        try:
            told = _KINDS[command.pop("kind")](**command)
            told["load_cpu"] = time.process_time() - began
        except (Unexpected, OSError) as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
