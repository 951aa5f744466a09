"""Requests that read; each client sends the next request when it has its answer."""

from collections.abc import Callable, Iterator
from urllib.parse import quote

from benchmarks.figures import Figures
from benchmarks.sides import Manager, Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload

_API = "/v1.41"
_FILTERED = quote('{"name":["box-0-7"],"status":["running"]}')
#: Numbers of clients, and whether they are measured by default.
_CLIENTS = {1: True, 4: False, 16: True, 64: False}
#: Name, target with ``{container}``, description, servers, and the floor that is its unit.
_READS = (
    ("ping", "/_ping", "_ping", On.ALL, "floor-exchange"),
    ("version", f"{_API}/version", "version", On.ALL, "floor-exchange"),
    ("info", f"{_API}/info", "info", On.ALL, "floor-exchange"),
    (
        "list", f"{_API}/containers/json?all=1",
        "every container of the cluster", On.MANAGERS, "floor-bytes",
    ),
    (
        "list-filtered", f"{_API}/containers/json?filters={_FILTERED}",
        "containers by a part of their name and their state", On.MANAGERS, "floor-exchange",
    ),
    (
        "inspect", f"{_API}/containers/{{container}}/json",
        "one container, asked from its engine", On.ALL, "floor-exchange",
    ),
)  # fmt: skip


def _reading(target: str, clients: int) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        path = target.format(container=side.container)
        return stage.converse(
            side,
            "requests",
            address=side.port,
            clients=clients,
            ask=path,
            targets=[path],
            seconds=stage.settings.seconds,
        )

    return run


def _list_changed(stage: Stage, side: Side) -> Figures:
    assert isinstance(side, Manager)
    return stage.converse(
        side,
        "changed_lists",
        address=side.port,
        clients=1,
        ask="/_ping",
        port=side.port,
        engine_port=side.engine_port,
        container=side.container,
        seconds=stage.settings.seconds,
    )


def _workloads() -> Iterator[Workload]:
    for name, target, about, on, unit in _READS:
        for clients, by_default in _CLIENTS.items():
            plural = "client" if clients == 1 else "clients"
            yield Workload(
                f"{name}-{clients}",
                f"{about}, {clients} {plural}",
                _reading(target, clients),
                on=on,
                unit=unit,
                by_default=by_default,
            )
    yield Workload(
        "list-changed",
        "every container, each time after the manager told of a change; both are counted",
        _list_changed,
        unit="floor-bytes",
    )


WORKLOADS = tuple(_workloads())
