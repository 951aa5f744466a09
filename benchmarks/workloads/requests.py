"""Requests that read: each client asks again when it has its answer."""

from collections.abc import Callable, Iterator
from urllib.parse import quote

from benchmarks.figures import Figures
from benchmarks.sides import Manager, Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload

_API = "/v1.41"
_FILTERED = quote('{"name":["box-0-7"],"status":["running"]}')
#: Name -> target with ``{container}``, clients, what it is, where, and the floor that is its unit.
_READS = (
    ("ping", "/_ping", (1, 16), "_ping", On.ALL, "floor-exchange"),
    ("version", f"{_API}/version", (1, 16), "version", On.ALL, "floor-exchange"),
    ("info", f"{_API}/info", (1, 16), "info", On.ALL, "floor-exchange"),
    (
        "list", f"{_API}/containers/json?all=1", (1, 16),
        "every container of the cluster", On.MANAGERS, "floor-bytes",
    ),
    (
        "list-filtered", f"{_API}/containers/json?filters={_FILTERED}", (1, 16),
        "containers by a part of their name and their state", On.MANAGERS, "floor-exchange",
    ),
    (
        "inspect", f"{_API}/containers/{{container}}/json", (1, 16),
        "one container, asked from its engine", On.ALL, "floor-exchange",
    ),
)  # fmt: skip


def _reading(target: str, clients: int) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        return stage.measure(
            side,
            "requests",
            port=side.port,
            targets=[target.format(container=side.container)],
            clients=clients,
            seconds=stage.settings.seconds,
        )

    return run


def _list_changed(stage: Stage, side: Side) -> Figures:
    assert isinstance(side, Manager)
    return stage.measure(
        side,
        "changed_lists",
        port=side.port,
        engine_port=side.engine_port,
        container=side.container,
        seconds=stage.settings.seconds,
    )


def _workloads() -> Iterator[Workload]:
    for name, target, counts, about, on, unit in _READS:
        for clients in counts:
            plural = "client" if clients == 1 else "clients"
            yield Workload(
                f"{name}-{clients}",
                f"{about}, {clients} {plural}",
                _reading(target, clients),
                on=on,
                unit=unit,
            )
    yield Workload(
        "list-changed",
        "every container, each time after the manager told of a change; both are counted",
        _list_changed,
        unit="floor-bytes",
    )


WORKLOADS = tuple(_workloads())
