"""The results: figures by workload, size and side, one set for each round."""

import json
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.settings import Settings, Size

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a figure over the rounds, and its smallest and largest value."""

    median: float
    least: float
    most: float


@dataclass(slots=True)
class Results:
    """Every figure of a run.

    Attributes:
        rounds: (workload, size, side) -> figures of each round.
        notes: notes for the reader.
        machine: properties of the machine on which the figures depend.
    """

    rounds: dict[tuple[str, Size, str], list[Figures]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    machine: Mapping[str, Any] = field(default_factory=dict)

    def add(self, workload: str, size: Size, side: str, figures: Figures) -> None:
        """Add the figures of one round."""
        self.rounds.setdefault((workload, size, side), []).append(figures)

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def sizes(self) -> Sequence[Size]:
        """Return the sizes that were measured."""
        return list(dict.fromkeys(size for _, size, _ in self.rounds))

    def sides(self, workload: str, size: Size) -> Sequence[str]:
        """Return the sides on which *workload* was measured."""
        return [side for name, at, side in self.rounds if (name, at) == (workload, size)]

    def spread(self, workload: str, size: Size, side: str, figure: str) -> Spread | None:
        """Return one figure over the rounds; ``None`` if it was not measured."""
        values = [
            figures[figure]
            for figures in self.rounds.get((workload, size, side), ())
            if figure in figures
        ]
        return Spread(statistics.median(values), min(values), max(values)) if values else None

    def median(self, workload: str, size: Size, side: str, figure: str) -> float | None:
        """Return the median of a figure."""
        found = self.spread(workload, size, side, figure)
        return None if found is None else found.median

    def write(self, path: Path, settings: Settings) -> None:
        """Write everything as JSON."""
        results = [
            {
                "workload": workload,
                "engines": size.engines,
                "containers": size.containers,
                "side": side,
                "rounds": rounds,
            }
            for (workload, size, side), rounds in self.rounds.items()
        ]
        told = {
            "machine": self.machine,
            "settings": _plain(settings),
            "notes": self.notes,
            "results": results,
        }
        path.write_text(json.dumps(told, indent=1) + "\n")


def read_results(first: Path, *others: Path) -> Results:
    """Read the results that ``Results.write`` wrote; the machine is that of the first file."""
    results = Results(machine=json.loads(first.read_text())["machine"])
    for path in (first, *others):
        told = json.loads(path.read_text())
        for note in told["notes"]:
            results.note(note)
        for each in told["results"]:
            size = Size(each["engines"], each["containers"])
            for figures in each["rounds"]:
                results.add(each["workload"], size, each["side"], figures)
    return results


def describe_machine() -> dict[str, Any]:
    """Return the properties on which the figures depend, without names."""
    return {
        "cpus": os.cpu_count(),
        "model": _cpu_model(),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }


def _cpu_model() -> str:
    lines: Iterable[str] = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _plain(settings: Settings) -> dict[str, Any]:
    """Return the settings without paths and command lines, which name places of this machine."""
    left_out = {"json_file", "plot_folder", "manager", "against"}
    return {key: value for key, value in asdict(settings).items() if key not in left_out}
