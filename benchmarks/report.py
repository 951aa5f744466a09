"""The results as text, in 80 columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.figures import Results, Spread
from benchmarks.settings import Size
from benchmarks.workloads import WORKLOADS, Shape, Workload

_NAME = 18
_OPERATION_WIDTHS = {"per_s": 8, "p50_ms": 8, "p99_ms": 8, "cpu_us": 8}
_STREAM_WIDTHS = {"mb_per_s": 8, "cpu_s_per_gb": 24}
_SIDES = ("manager", "against", "floor", "engine", "haproxy")
#: If the share of an operation's CPU without idle work is below this, it is shown in a line.
_MOSTLY = 0.95
_OPERATIONS = (
    f"{'workload':<{_NAME}}{'per s':>8}{'p50 ms':>8}{'p99 ms':>8}"
    f"{'CPU us':>8}{'min..max':>12}{'floors':>7}{'busy':>11}"
)
_STREAMS = (
    f"{'workload':<{_NAME}}{'MB/s':>8}{'min..max':>14}{'CPU s/GB':>10}{'min..max':>14}{'busy':>15}"
)


def write_report(results: Results) -> str:
    """Return all tables."""
    lines = [_about(results.machine)]
    for size in results.sizes():
        lines += ["", f"== {size}"]
        for shape, rows in _TABLES.items():
            table = [line for each in _of(shape) for line in rows(results, each, size)]
            if table:
                lines += ["", *_HEADS[shape], *table]
    if results.notes:
        lines += ["", *(f"note: {note}" for note in results.notes)]
    return "\n".join(lines) + "\n"


def _about(machine: Mapping[str, Any]) -> str:
    load = ", ".join(map(str, machine["load_average"]))
    return (
        f"{machine['cpus']} CPUs ({machine['model']}), Linux {machine['kernel']}, "
        f"Python {machine['python']}\n"
        f"load average before: {load}"
    )


def _of(shape: Shape) -> Sequence[Workload]:
    return [workload for workload in WORKLOADS if workload.shape is shape]


def _present(results: Results, workload: Workload, size: Size) -> Iterator[tuple[str, str]]:
    """Yield each side that was measured, and the beginning of its line."""
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
        net = of("net_us")
        if cpu is not None and net is not None and net.median < _MOSTLY * cpu.median:
            floors = _floors(results, workload, size, net)
            yield f"{'    less idle':<{_NAME + 24}}{_number(net):>8}{_range(net):>13}{floors:>6}"
    yield from _ratio(results, workload, size, _OPERATION_WIDTHS)


def _floors(results: Results, workload: Workload, size: Size, cpu: Spread | None) -> str:
    """Return the CPU in units of the floor that was measured in the same run."""
    unit = results.median(workload.unit, size, "floor", "cpu_us")
    return "" if unit is None or cpu is None or not unit else _short(cpu.median / unit)


def _busy(of: Callable[[str], Spread | None]) -> str:
    """Return how busy the side, the load generator and the engines were, in percent of a core."""
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
    yield from _ratio(results, workload, size, _STREAM_WIDTHS)


def _ratio(
    results: Results, workload: Workload, size: Size, widths: Mapping[str, int]
) -> Iterator[str]:
    """Yield the manager's medians divided by those of the second manager.

    Args:
        results: the results of the run.
        workload: the workload.
        size: the size of the cluster.
        widths: figure -> columns from the end of the previous figure to its own end.
    """
    ours = {each: results.median(workload.name, size, "manager", each) for each in widths}
    theirs = {each: results.median(workload.name, size, "against", each) for each in widths}
    if None in ours.values() or None in theirs.values():
        return
    cells = (f"{_quotient(ours[each], theirs[each]):>{width}}" for each, width in widths.items())
    yield f"{'  ratio':<{_NAME}}{''.join(cells)}"


def _quotient(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.2f}" if ours is not None and theirs else "-"


def _others(results: Results, workload: Workload, size: Size) -> Iterator[str]:
    """Yield a line for each figure."""
    rounds = results.rounds.get((workload.name, size, "manager"), [{}])
    for figure in rounds[0]:
        ours = results.spread(workload.name, size, "manager", figure)
        line = f"{workload.name + ' ' + figure:<29}{_number(ours):>10}{_range(ours):>16}"
        theirs = results.spread(workload.name, size, "against", figure)
        if ours is not None and theirs is not None:
            line += f"{_number(theirs):>10}{_quotient(ours.median, theirs.median):>8}"
        yield line


def _number(spread: Spread | None) -> str:
    return "" if spread is None else _short(spread.median)


def _range(spread: Spread | None) -> str:
    return "" if spread is None else f"{_short(spread.least)}..{_short(spread.most)}"


def _short(value: float) -> str:
    """Format a number with three digits."""
    size = abs(value)
    if size >= 99_950:
        return f"{value / 1000:.0f}k"
    if size >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


_HEADS = {
    Shape.OPERATIONS: (_OPERATIONS,),
    Shape.STREAM: (_STREAMS,),
    Shape.OTHER: (f"{'figure':<29}{'median':>10}{'min..max':>16}{'against':>10}{'ratio':>8}",),
}
_TABLES = {Shape.OTHER: _others, Shape.OPERATIONS: _operations, Shape.STREAM: _streams}
