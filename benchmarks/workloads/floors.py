"""Floors: the cost of minimal servers in the same run."""

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload

_CLIENTS = 16


def _exchange(stage: Stage, side: Side) -> Figures:
    floor = stage.floor("exchange")
    return _ask(stage, floor, "/_ping", _CLIENTS)


def _relay(stage: Stage, side: Side) -> Figures:
    floor = stage.floor("relay")
    return _ask(stage, floor, f"/v1.41/containers/{floor.container}/json", _CLIENTS)


def _bytes(stage: Stage, side: Side) -> Figures:
    return _ask(stage, stage.floor("bytes"), "/", 1)


def _ask(stage: Stage, floor: Side, target: str, clients: int) -> Figures:
    return stage.converse(
        floor,
        "requests",
        address=floor.port,
        clients=clients,
        ask=target,
        targets=[target],
        seconds=stage.settings.seconds,
    )


WORKLOADS = (
    Workload(
        "floor-exchange",
        "one trio exchange of constant bytes, 16 clients: the unit of CPU",
        _exchange,
        on=On.FLOOR,
    ),
    Workload(
        "floor-relay",
        "an inspect through a trio relay that does not parse, 16 clients",
        _relay,
        on=On.FLOOR,
    ),
    Workload(
        "floor-bytes",
        "as many bytes as the whole list has from a bare trio server, 1 client",
        _bytes,
        on=On.FLOOR,
    ),
)
