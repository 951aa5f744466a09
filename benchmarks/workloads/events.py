"""Events, from the engine that makes them to the clients that follow the manager's events."""

from collections.abc import Callable, Iterator

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload


def _following(listeners: int, action: str) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        stage.generator.run("listen", port=side.port, listeners=listeners)
        stage.settle(side)
        told = stage.measure(
            side,
            "hear_events",
            engine_port=side.engine_port,
            container=side.container,
            action=action,
            seconds=stage.settings.seconds,
        )
        stage.generator.run("listen", port=side.port, listeners=0)
        stage.settle(side)
        return {**told, "cpu_us_per_delivery": told["cpu"] / told["deliveries"] * 1e6}

    return run


def _workloads() -> Iterator[Workload]:
    for listeners in (1, 50, 500):
        plural = "listener" if listeners == 1 else "listeners"
        yield Workload(
            f"event-{listeners}",
            f"an event that changes nothing, {listeners} {plural}; times are to the first",
            _following(listeners, "exec_die"),
            on=On.ALL if listeners == 1 else On.MANAGERS,
        )
    yield Workload(
        "event-changing",
        "an event after which the container is read again, 1 listener",
        _following(1, "pause"),
        on=On.ALL,
    )


WORKLOADS = tuple(_workloads())
