"""Runs workloads: every round measures each of them on each side, the sides in turn."""

import sys
from collections.abc import Sequence

from benchmarks.figures import Results, describe_machine
from benchmarks.load import Generator, LoadFailed
from benchmarks.settings import Settings, Size
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads import On, Shape, Workload


def run(settings: Settings, workloads: Sequence[Workload]) -> Results:
    """Measure *workloads* on every size.

    Raises:
        RuntimeError: a manager does not start.
    """
    results = Results(machine=describe_machine())
    with Generator() as generator:
        for size in settings.sizes:
            is_first = size == settings.sizes[0]
            here = [workload for workload in workloads if workload.of_the_size or is_first]
            _run_size(settings, size, here, generator, results)
    return results


def _run_size(
    settings: Settings,
    size: Size,
    workloads: Sequence[Workload],
    generator: Generator,
    results: Results,
) -> None:
    with Stage(settings, size, generator, results) as stage:
        for number in range(settings.rounds):
            for workload in workloads:
                sides = _sides(stage, workload)
                for side in reversed(sides) if number % 2 else sides:
                    _run_one(stage, workload, side, number)


def _sides(stage: Stage, workload: Workload) -> Sequence[Side]:
    match workload.on:
        case On.MANAGERS:
            return stage.managers
        case On.ALL:
            return [*stage.managers, *stage.direct]
    return stage.managers[:1]


def _run_one(stage: Stage, workload: Workload, side: Side, number: int) -> None:
    name = {On.FLOOR: "floor", On.ALONE: "manager"}.get(workload.on, side.name)
    _say(f"{stage.size}, round {number + 1} of {stage.settings.rounds}: {workload.name}, {name}")
    try:
        if workload.needs_start and workload.on in (On.MANAGERS, On.ALL):
            stage.make_ready(side)
        figures = workload.run(stage, side)
    except LoadFailed as error:
        stage.results.note(f"{workload.name}, {name}: {error}")
        return
    stage.results.add(workload.name, stage.size, name, figures)
    if workload.shape is Shape.OPERATIONS:
        _say(f"    {figures['per_s']:,.0f} per s, {figures['cpu_us']:,.1f} µs of CPU each")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
