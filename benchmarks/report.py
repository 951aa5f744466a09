"""The results as text, in 80 columns."""

from collections.abc import Callable, Iterator, Sequence

from benchmarks.figures import Results, Spread, describe_machine
from benchmarks.settings import Size
from benchmarks.workloads import WORKLOADS, Shape, Workload

_NAME = 18
_SIDES = ("manager", "against", "floor", "engine", "haproxy")
_OPERATIONS = (
    f"{'workload':<{_NAME}}{'per s':>8}{'p50 ms':>8}{'p99 ms':>8}"
    f"{'CPU us':>8}{'min..max':>13}{'floors':>6}{'busy':>11}"
)
_STREAMS = (
    f"{'workload':<{_NAME}}{'MB/s':>8}{'min..max':>14}{'CPU s/GB':>10}{'min..max':>14}{'busy':>15}"
)


def write_report(results: Results) -> str:
    """All tables."""
    lines = [_about_machine()]
    for size in results.sizes():
        lines += ["", f"== {size}"]
        for shape, rows in _TABLES.items():
            table = [line for each in _of(shape) for line in rows(results, each, size)]
            if table:
                lines += ["", *_HEADS[shape], *table]
    if results.notes:
        lines += ["", *(f"note: {note}" for note in results.notes)]
    return "\n".join(lines) + "\n"


def _about_machine() -> str:
    machine = describe_machine()
    load = ", ".join(map(str, machine["load_average"]))
    return (
        f"{machine['cpus']} CPUs ({machine['model']}), Linux {machine['kernel']}, "
        f"Python {machine['python']}\n"
        f"load average at the end: {load}"
    )


def _of(shape: Shape) -> Sequence[Workload]:
    return [workload for workload in WORKLOADS if workload.shape is shape]


def _present(results: Results, workload: Workload, size: Size) -> Iterator[tuple[str, str]]:
    """Each side that was measured, and what its line begins with."""
    sides = results.sides(workload.name, size)
    for side in _SIDES:
        if side in sides:
            first = side in ("manager", "floor")
            yield side, workload.name if first else f"  {side}"


def _operations(results: Results, workload: Workload, size: Size) -> Iterator[str]:
    for side, label in _present(results, workload, size):

        def of(figure: str, side: str = side) -> Spread | None:
            return results.spread(workload.name, size, side, figure)

        cpu = of("cpu_us")
        yield (
            f"{label:<{_NAME}}{_number(of('per_s')):>8}{_number(of('p50_ms')):>8}"
            f"{_number(of('p99_ms')):>8}{_number(cpu):>8}{_range(cpu):>13}"
            f"{_floors(results, workload, size, cpu):>6}{_busy(of):>11}"
        )
    yield from _ratio(results, workload, size, ("per_s", "p50_ms", "p99_ms", "cpu_us"), 8)


def _floors(results: Results, workload: Workload, size: Size, cpu: Spread | None) -> str:
    """CPU in units of the floor that was measured in the same run."""
    unit = results.median(workload.unit, size, "floor", "cpu_us")
    return "" if unit is None or cpu is None or not unit else _short(cpu.median / unit)


def _busy(of: Callable[[str], Spread | None]) -> str:
    """How busy the side, the load generator and the engines were, in percent of a core."""
    found = [of(name) for name in ("busy", "busy_load", "busy_engines")]
    return "/".join(f"{each.median:.0f}" for each in found if each is not None)


def _streams(results: Results, workload: Workload, size: Size) -> Iterator[str]:
    for side, label in _present(results, workload, size):

        def of(figure: str, side: str = side) -> Spread | None:
            return results.spread(workload.name, size, side, figure)

        rate, cpu = of("mb_per_s"), of("cpu_s_per_gb")
        yield (
            f"{label:<{_NAME}}{_number(rate):>8}{_range(rate):>14}"
            f"{_number(cpu):>10}{_range(cpu):>14}{_busy(of):>15}"
        )
    yield from _ratio(results, workload, size, ("mb_per_s",), 8)


def _ratio(
    results: Results, workload: Workload, size: Size, figures: Sequence[str], width: int
) -> Iterator[str]:
    """The manager's medians divided by those of the one that it was measured against."""
    pairs = [
        [results.median(workload.name, size, side, figure) for side in ("manager", "against")]
        for figure in figures
    ]
    if any(None in pair for pair in pairs):
        return
    ratios = [f"{ours / theirs:.2f}" if ours and theirs else "-" for ours, theirs in pairs]
    yield f"{'  ratio':<{_NAME}}" + "".join(f"{ratio:>{width}}" for ratio in ratios)


def _others(results: Results, workload: Workload, size: Size) -> Iterator[str]:
    names = dict.fromkeys(
        figure
        for (name, at, _), rounds in results.rounds.items()
        if (name, at) == (workload.name, size)
        for figure in rounds[0]
    )
    for figure in names:
        found = {
            side: results.spread(workload.name, size, side, figure)
            for side, _ in _present(results, workload, size)
        }
        cells = [f"{_number(each):>10}{_range(each):>15}" for each in found.values()]
        ours, theirs = found.get("manager"), found.get("against")
        if ours and theirs and theirs.median:
            cells.append(f"{ours.median / theirs.median:>8.2f}")
        yield f"{workload.name + ' ' + figure:<29}" + "".join(cells)


def _number(spread: Spread | None) -> str:
    return "" if spread is None else _short(spread.median)


def _range(spread: Spread | None) -> str:
    return "" if spread is None else f"{_short(spread.least)}..{_short(spread.most)}"


def _short(value: float) -> str:
    """Three digits."""
    size = abs(value)
    if size >= 99_950:
        return f"{value / 1000:.0f}k"
    if size >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


_HEADS = {
    Shape.OPERATIONS: (_OPERATIONS,),
    Shape.STREAM: (_STREAMS,),
    Shape.OTHER: (f"{'figure':<29}{'median':>10}{'min..max':>15}",),
}
_TABLES = {Shape.OTHER: _others, Shape.OPERATIONS: _operations, Shape.STREAM: _streams}
