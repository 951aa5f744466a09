"""``python -m swarmcore.testing.simulation``: run seeds, and show a failing one.

python -m swarmcore.testing.simulation --seeds 0-49
python -m swarmcore.testing.simulation --seeds 1000-2999 --jobs 2
python -m swarmcore.testing.simulation --seeds 17 --history
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf

from swarmcore.testing.simulation.forks import run_forked
from swarmcore.testing.simulation.plan import draw_plan
from swarmcore.testing.simulation.seeds import Outcome, prepare, run_seed, show_failure

#: CPU seconds after which a run is killed; most take two.
_MOST_SECONDS = 120.0


def main(arguments: Sequence[str]) -> int:
    """Run the seeds that *arguments* name; return 0 if all hold, else 1."""
    options = _parser().parse_args(arguments)
    seeds = _read_seeds(options.seeds)
    prepare()
    if options.history:
        for seed in seeds:
            _say(str(run_seed(seed, with_history=True).history))
        return 0
    total, began = _Total(), time.monotonic()
    in_time = takewhile(lambda _: time.monotonic() - began < options.minutes * 60, seeds)
    for _, outcome in run_forked(run_seed, in_time, jobs=options.jobs, seconds=_MOST_SECONDS):
        total.add(outcome)
        if outcome.violation:
            _say(f"seed {outcome.seed}: {outcome.violation}")
            if not options.keep_going:
                _say(show_failure(outcome.seed))
                return 1
    _say(total.report(time.monotonic() - began))
    return 1 if total.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m swarmcore.testing.simulation",
        description="Run managers before simulated engines, with faults, and check invariants.",
    )
    parser.add_argument("--seeds", default="0-49", help="one seed, or a range such as 1000-2999")
    parser.add_argument("--jobs", type=int, default=1, help="processes at the same time")
    parser.add_argument("--minutes", type=float, default=inf, help="begin no seed after this time")
    parser.add_argument("--keep-going", action="store_true", help="only list failing seeds")
    parser.add_argument("--history", action="store_true", help="print everything that happens")
    return parser


def _read_seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


@dataclass(slots=True)
class _Total:
    """Sums over all seeds."""

    seeds: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.seconds += outcome.seconds
        self.faults.update(step.what for step in draw_plan(outcome.seed).faults)
        self.answers.update(outcome.answers)
        if outcome.violation:
            self.failed.append(outcome.seed)

    def report(self, real_seconds: float) -> str:
        """What was simulated, in a few lines."""
        faults = ", ".join(f"{kind} {count}" for kind, count in self.faults.most_common())
        answered = sum(count for status, count in self.answers.items() if status)
        return (
            f"{self.seeds} seeds, {self.seconds / 3600:.1f} simulated hours in {real_seconds:.0f} s"
            f"\nrequests: {answered} answered, {self.answers[0]} not"
            f"\nfaults: {sum(self.faults.values())}: {faults}"
            f"\nfailed: {', '.join(map(str, sorted(self.failed))) or 'none'}"
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets must be the same each time
        command = [sys.executable, "-m", "swarmcore.testing.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main(sys.argv[1:]))
