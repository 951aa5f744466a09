"""Charts of the cost as SVG: a line for each workload, both axes logarithmic."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from operator import attrgetter
from pathlib import Path

from benchmarks.figures import Results

_WIDTH, _HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 170, 40, 50
_COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2", "#b8860b", "#4a4a4a", "#d1495b", "#00798c")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        name: the name of the file, without its suffix.
        title: the title above it.
        across: the horizontal axis: ``engines``, ``containers`` on each engine, or ``clients``.
        unit: the unit of the vertical axis.
        lines: label -> workload (for clients: family of workloads) and figure.
    """

    name: str
    title: str
    across: str
    unit: str
    lines: Mapping[str, tuple[str, str]]


def _costs(*names: str) -> Mapping[str, tuple[str, str]]:
    return {name: (name, "cpu_us") for name in names}


_START = {
    "CPU until all healthy": ("start", "healthy_cpu_s"),
    "until all healthy": ("start", "healthy_s"),
}
_IDLE = {"CPU": ("idle", "cpu_percent")}
_MEMORY = {"memory": ("idle", "memory_mb")}
_OPERATIONS = _costs(
    "ping-16", "version-16", "info-16", "inspect-16", "life-8", "placement", "list-1"
)
_READS = _costs("ping", "version", "info", "list", "inspect", "life")
_LISTENING = {"event": ("event", "cpu_us_per_delivery")}
CHARTS = (
    Chart("cost-by-engines", "CPU of one operation", "engines", "µs", _OPERATIONS),
    Chart("start-by-engines", "A start", "engines", "s", _START),
    Chart("idle-by-engines", "An idle manager", "engines", "% of a core", _IDLE),
    Chart("memory-by-engines", "Resident memory", "engines", "MB", _MEMORY),
    Chart("cost-by-containers", "CPU of one operation", "containers", "µs", _OPERATIONS),
    Chart("start-by-containers", "A start", "containers", "s", _START),
    Chart("memory-by-containers", "Resident memory", "containers", "MB", _MEMORY),
    Chart("cost-by-clients", "CPU of one operation", "clients", "µs", _READS),
    Chart("event-by-listeners", "CPU of one event for a listener", "clients", "µs", _LISTENING),
)


def draw_all(results: Results, folder: Path) -> Sequence[Path]:
    """Draw each chart that has at least two points; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for chart in CHARTS:
        lines = _lines(chart, results)
        if lines:
            path = folder / f"{chart.name}.svg"
            path.write_text(draw(chart, lines))
            drawn.append(path)
    return drawn


# ---- the points of charts

_OTHER = {"engines": "containers", "containers": "engines"}


def _lines(chart: Chart, results: Results) -> Mapping[str, Points]:
    points = _points_by_clients if chart.across == "clients" else _points_by_size
    found = {
        label: points(chart.across, results, workload, figure)
        for label, (workload, figure) in chart.lines.items()
    }
    return {label: each for label, each in found.items() if len(each) > 1}


def _points_by_size(across: str, results: Results, workload: str, figure: str) -> Points:
    """Return points of sizes that differ only in *across*, with the most frequent other number."""
    here, other = attrgetter(across), attrgetter(_OTHER[across])
    [(fixed, _), *_] = Counter(map(other, results.sizes())).most_common(1)
    sizes = [size for size in results.sizes() if other(size) == fixed]
    medians = [(here(size), results.median(workload, size, "manager", figure)) for size in sizes]
    return sorted((x, y) for x, y in medians if y)


def _points_by_clients(across: str, results: Results, family: str, figure: str) -> Points:
    """Return points of the workloads of a family, named by the number of clients, at one size."""
    size = results.sizes()[0]
    names = {name for name, at, _ in results.rounds if at == size}
    found = []
    for name in names:
        head, _, number = name.rpartition("-")
        if head == family and number.isdigit():
            median = results.median(name, size, "manager", figure)
            if median:
                found.append((float(number), median))
    return sorted(found)


# ---- drawing


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis: from *least* at pixel *begin* to *most* at *end*."""

    least: float
    most: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        """Return the pixel of *value*."""
        span = math.log10(self.most / self.least) or 1.0
        return self.begin + (self.end - self.begin) * math.log10(value / self.least) / span

    def marks(self) -> Iterator[float]:
        """Yield 1, 10, 100 ...; also 2 and 5 between them if there are few."""
        first, last = math.floor(math.log10(self.least)), math.ceil(math.log10(self.most))
        steps = (1, 2, 5) if last - first <= 3 else (1,)
        for power in range(first, last + 1):
            for step in steps:
                value = step * 10.0**power
                if self.least * 0.999 <= value <= self.most * 1.001:
                    yield value


def draw(chart: Chart, lines: Mapping[str, Points]) -> str:
    """Return the chart as SVG."""
    across = [x for points in lines.values() for x, _ in points]
    up = [y for points in lines.values() for _, y in points]
    x_axis = _Axis(min(across), max(across), _LEFT, _WIDTH - _RIGHT)
    y_axis = _Axis(min(up) / 1.3, max(up) * 1.3, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 22, f"{chart.title}, {chart.unit}", size=15),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, chart.across, anchor="middle"),
        *_grid(x_axis, y_axis, sorted(set(across))),
    ]
    for number, points in enumerate(lines.values()):
        colour = _COLOURS[number % len(_COLOURS)]
        parts += _line(colour, [(x_axis.place(x), y_axis.place(y)) for x, y in points])
    parts += _labels(lines, y_axis)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid(x_axis: _Axis, y_axis: _Axis, measured: Sequence[float]) -> Iterator[str]:
    for value in y_axis.marks():
        y = y_axis.place(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield _text(_LEFT - 8, y + 4, f"{value:g}", anchor="end")
    for value in measured:
        x = x_axis.place(value)
        yield f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#eee"/>'
        yield _text(x, _HEIGHT - _BOTTOM + 18, f"{value:,.0f}", anchor="middle")


def _line(colour: str, pixels: Points) -> Iterator[str]:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in pixels)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in pixels:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def _labels(lines: Mapping[str, Points], y_axis: _Axis) -> Iterator[str]:
    """Yield each line's name and last value at its end, moved apart if they would overlap."""
    ends = [
        (y_axis.place(points[-1][1]), label, points[-1][1], _COLOURS[number % len(_COLOURS)])
        for number, (label, points) in enumerate(lines.items())
    ]
    lowest = -math.inf
    for y, label, value, colour in sorted(ends):
        lowest = max(y, lowest + 14)
        text = f"{label} {value:,.0f}" if value >= 100 else f"{label} {value:.3g}"
        yield _text(_WIDTH - _RIGHT + 10, lowest + 4, text, colour=colour)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#222"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="{colour}">{escape(text)}</text>'
    )
