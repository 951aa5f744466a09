"""Runs seeds, and shows what a failing one needs to fail."""

from collections import Counter
from dataclasses import dataclass, field

from swarmcore.testing.simulation.forks import run_forked
from swarmcore.testing.simulation.plan import Plan, draw_plan
from swarmcore.testing.simulation.run import run_plan
from swarmcore.testing.simulation.shrinking import shorten

_MOST_SECONDS = 120.0
#: The number of lines of a history that are shown before its end.
_LINES = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run showed; small, to be passed between processes.

    Attributes:
        seed: of its plan.
        violation: the first invariant that did not hold, in words; empty if all did.
        invariant: its name.
        seconds: simulated seconds.
        answers: answers by status.
        history: everything that happened, if it was asked for.
    """

    seed: int
    violation: str
    invariant: str
    seconds: float
    answers: Counter[int] = field(default_factory=Counter)
    history: str = ""


def prepare() -> None:
    """Import everything that a run needs, so that all runs begin with the same memory."""
    run_plan(draw_plan(0).only(()))


def run_seed(seed: int, *, with_history: bool = False) -> Outcome:
    """Run the plan of *seed* in this process."""
    return _run(draw_plan(seed), with_history=with_history)


def _run(plan: Plan, *, with_history: bool = False) -> Outcome:
    result = run_plan(plan)
    violation = result.history.violation
    return Outcome(
        plan.seed,
        str(violation or ""),
        result.failed,
        result.seconds,
        result.answers,
        str(result.history) if with_history or result.failed else "",
    )


def run_apart(plan: Plan) -> Outcome:
    """Run *plan* in a new process."""
    ((_, outcome),) = run_forked(_run, [plan], jobs=1, seconds=_MOST_SECONDS)
    return outcome


def show_failure(seed: int) -> str:
    """Shorten the plan of a failing seed; return its steps, its history and how to repeat it."""
    plan = draw_plan(seed)
    invariant = run_apart(plan).invariant
    shorter = shorten(plan, lambda each: run_apart(each).invariant == invariant)
    outcome = run_apart(shorter)
    steps = "\n".join(f"{step.at:9.3f}  {step}" for step in shorter.steps)
    lines = outcome.history.splitlines()
    return (
        f"The plan of seed {seed} has {len(plan.steps)} steps; these {len(shorter.steps)} suffice"
        f" ({len(plan.managers)} managers, {len(plan.engines)} engines):\n{steps}\n\n"
        f"What happened, at the end:\n" + "\n".join(lines[-_LINES:]) + f"\n{outcome.violation}\n\n"
        f"Repeat it with: python -m swarmcore.testing.simulation --seeds {seed}"
    )
