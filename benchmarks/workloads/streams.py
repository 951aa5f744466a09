"""Streams from engines: logs, stats, exec, attach."""

from collections.abc import Callable, Iterator

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Shape, Workload

_API = "/v1.41"
_SIZES = {"100": 100, "4k": 4096, "16k": 16384}


def _downloading(target: str) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        size = stage.settings.stream_bytes
        path = f"{_API}/containers/{side.container}/{target}&bytes={size}"
        return stage.measure(side, "download", address=side.port, target=path)

    return run


def _run_exec(stage: Stage, side: Side) -> Figures:
    size = stage.settings.stream_bytes
    return stage.measure(side, "run_exec", port=side.port, container=side.container, size=size)


def _attach(stage: Stage, side: Side) -> Figures:
    size = stage.settings.stream_bytes
    return stage.measure(side, "echo", port=side.port, container=side.container, size=size)


def _logs() -> Iterator[Workload]:
    for word, size in _SIZES.items():
        logs = f"logs?stdout=1&frame={size}"
        about = f"logs, frames of {size:,} bytes"
        yield _stream(f"logs-{word}", f"{about} in chunks of 32 KiB", _downloading(logs))
    for word, size in _SIZES.items():
        logs = f"logs?stdout=1&flushed=1&frame={size}"
        about = f"logs, each frame of {size:,} bytes in a chunk of its own"
        yield _stream(f"logs-flushed-{word}", about, _downloading(logs))


def _stream(name: str, about: str, run: Callable[[Stage, Side], Figures]) -> Workload:
    return Workload(name, about, run, Shape.STREAM, On.ALL)


WORKLOADS = (
    *_logs(),
    _stream("stats", "stats, as fast as they are read", _downloading("stats?stream=1")),
    _stream("exec", "an exec that writes much", _run_exec),
    _stream("attach", "an attached container that sends back what it gets", _attach),
    _stream("cp-down", "an archive from a container", _downloading("archive?path=/blob")),
)
