"""Some requests with TLS, and through a unix socket."""

from collections.abc import Callable, Iterator

from benchmarks.figures import Figures
from benchmarks.load import LoadFailed
from benchmarks.load.messages import Address
from benchmarks.sides import Manager, Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Shape, Workload

_API = "/v1.41"
_CONTAINER = f"{_API}/containers/{{container}}"
#: Name, clients, target, and the floor that is its unit.
_REQUESTS = (
    ("ping", 16, "/_ping", "floor-exchange"),
    ("inspect", 16, f"{_CONTAINER}/json", "floor-exchange"),
    ("list", 1, f"{_API}/containers/json?all=1", "floor-bytes"),
)
_LOGS = f"{_CONTAINER}/logs?stdout=1&frame=4096&bytes={{size}}"

_Find = Callable[[Stage, Side], tuple[Manager, Address]]


def _by_tls(stage: Stage, side: Side) -> tuple[Manager, Address]:
    manager = stage.secured()
    return manager, manager.address


def _by_socket(stage: Stage, side: Side) -> tuple[Manager, Address]:
    assert isinstance(side, Manager)
    if not side.socket.exists():
        raise LoadFailed("its command line has no {socket} to listen on")
    return side, str(side.socket)


def _reading(find: _Find, target: str, clients: int) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        manager, address = find(stage, side)
        path = target.format(container=manager.container)
        return stage.converse(
            manager,
            "requests",
            address=address,
            clients=clients,
            ask=path,
            targets=[path],
            seconds=stage.settings.seconds,
        )

    return run


def _streaming(find: _Find) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        manager, address = find(stage, side)
        target = _LOGS.format(container=manager.container, size=stage.settings.stream_bytes)
        return stage.measure(manager, "download", address=address, target=target)

    return run


def _workloads(word: str, by: str, find: _Find, on: On) -> Iterator[Workload]:
    for name, clients, target, unit in _REQUESTS:
        about, run = f"as {name}-{clients}, {by}", _reading(find, target, clients)
        yield Workload(f"{name}-{word}-{clients}", about, run, on=on, unit=unit, of_the_size=False)
    about, run = f"as logs-4k, {by}", _streaming(find)
    yield Workload(f"logs-{word}-4k", about, run, Shape.STREAM, on, of_the_size=False)


WORKLOADS = (
    *_workloads("unix", "through a unix socket", _by_socket, On.MANAGERS),
    *_workloads("tls", "by TLS", _by_tls, On.ALONE),
)
