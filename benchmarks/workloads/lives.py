"""Complete lives of containers: create, start, remove."""

from collections.abc import Callable

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload


def _living(clients: int) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        seconds = stage.settings.seconds
        told = stage.converse(
            side, "lives", address=side.port, clients=clients, ask="/_ping", seconds=seconds
        )
        return {**told, "p50_ms": told["create_p50_ms"], "p99_ms": told["create_p99_ms"]}

    return run


WORKLOADS = tuple(
    Workload(
        f"life-{clients}",
        f"create, start and remove a container, {clients} at once; times are those of create",
        _living(clients),
        on=On.ALL,
    )
    for clients in (1, 8, 32)
)
