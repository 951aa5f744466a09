"""Start, idle CPU and memory, and how well a manager holds its engines."""

import time

from benchmarks.fake_engines import Farm
from benchmarks.figures import Figures
from benchmarks.sides import Manager, Side, ask, ask_bytes, count_healthy
from benchmarks.stage import Stage
from benchmarks.workloads.workload import Shape, Workload

_MB = 1e6
_KB = 1e3
#: Seconds between the pings of ``hold``.
_BETWEEN_PINGS = 0.05


def _start(stage: Stage, side: Side) -> Figures:
    assert isinstance(side, Manager)
    side.compile()
    start = side.start(stage.settings.settle_seconds)
    if not start.is_quiet:
        stage.results.note(f"{side.name} with {stage.size}: not quiet yet when it was measured")
    return {
        "listening_s": start.listening,
        "healthy_s": start.healthy,
        "healthy_cpu_s": start.healthy_cpu,
        "quiet_s": start.quiet,
        "quiet_cpu_s": start.quiet_cpu,
    }


def _idle(stage: Stage, side: Side) -> Figures:
    assert isinstance(side, Manager)
    before, began = side.usage(), time.monotonic()
    time.sleep(stage.settings.idle_seconds)
    after, seconds = side.usage(), time.monotonic() - began
    share = (after.cpu - before.cpu) / seconds
    stage.idle[side.name] = share
    return {
        "cpu_percent": share * 100,
        "wakeups_per_s": (after.wakeups - before.wakeups) / seconds,
        "memory_mb": after.memory / _MB,
    }


def _memory(stage: Stage, side: Side) -> Figures:
    """Return the memory of a container, compared with a manager whose engines have none."""
    assert isinstance(side, Manager)
    with Farm(stage.size.engines, 0) as farm:
        socket = side.socket.with_suffix(".bare")
        bare = Manager("bare", farm, command=side.command, log=side.log, socket=socket)
        try:
            bare.start(stage.settings.settle_seconds)
            least = bare.usage().memory
        finally:
            bare.stop()
    count = max(1, stage.size.engines * stage.size.containers)
    return {
        "without_containers_mb": least / _MB,
        "per_container_kb": (side.usage().memory - least) / count / _KB,
    }


def _hold(stage: Stage, side: Side) -> Figures:
    """Return how well a manager holds its engines while nobody but one client's pings uses it."""
    assert isinstance(side, Manager)
    flagged, times = side.flagged(), list[float]()
    before, began = side.usage(), time.monotonic()
    while (now := time.monotonic()) - began < stage.settings.idle_seconds:
        ask_bytes(side.address, "/_ping")
        times.append(time.monotonic() - now)
        time.sleep(_BETWEEN_PINGS)
    after, seconds = side.usage(), time.monotonic() - began
    times.sort()
    return {
        "engines_healthy": count_healthy(ask(side.address, "/info")),
        "engines_flagged": side.flagged() - flagged,
        "cpu_percent": (after.cpu - before.cpu) / seconds * 100,
        "memory_mb": after.memory / _MB,
        "ping_p50_ms": times[len(times) // 2] * 1e3,
        "ping_p99_ms": times[len(times) * 99 // 100] * 1e3,
    }


WORKLOADS = (
    Workload(
        "start",
        "a manager's start: to listening, to all engines healthy, to quiet",
        _start,
        Shape.OTHER,
        needs_start=False,
    ),
    Workload("idle", "CPU, wake-ups and resident memory of an idle manager", _idle, Shape.OTHER),
    Workload("memory", "resident memory for each container", _memory, Shape.OTHER),
    Workload(
        "hold",
        "engines that are healthy, and that were flagged meanwhile; CPU, memory, pings",
        _hold,
        Shape.OTHER,
    ),
)
