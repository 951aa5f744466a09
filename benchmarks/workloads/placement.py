"""Decisions of the scheduler without a manager; see ``decisions``."""

import json
from collections.abc import Callable

from benchmarks.figures import Figures
from benchmarks.processes import end, start_module
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Workload


def _deciding(nodes: int, containers: int) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        return _measure(nodes, containers, stage.settings.seconds)

    return run


def _of_the_size(stage: Stage, side: Side) -> Figures:
    return _measure(stage.size.engines, stage.size.containers, stage.settings.seconds)


def _measure(nodes: int, containers: int, seconds: float) -> Figures:
    process = start_module("decisions", nodes, containers, seconds)
    try:
        assert process.stdout is not None
        told: Figures = json.loads(process.stdout.readline())
        return told
    finally:
        end(process)


WORKLOADS = (
    Workload(
        "placement",
        "a decision with four rules, nodes and containers as in the cluster",
        _of_the_size,
        on=On.ALONE,
    ),
    Workload(
        "placement-1000x50",
        "the same with 1,000 nodes of 50 containers",
        _deciding(1000, 50),
        on=On.ALONE,
        of_the_size=False,
    ),
    Workload(
        "placement-10000x5",
        "the same with 10,000 nodes of 5 containers",
        _deciding(10_000, 5),
        on=On.ALONE,
        of_the_size=False,
    ),
)
