"""Shortens a failing plan by leaving steps out, as long as it still fails in the same way."""

from collections.abc import Callable

from swarmcore.testing.simulation.plan import Plan, Step

#: The number of runs that a shorter plan may cost.
_MOST_RUNS = 60


def shorten(plan: Plan, fails: Callable[[Plan], bool], most_runs: int = _MOST_RUNS) -> Plan:
    """Leave out ever smaller parts of the steps.

    Args:
        plan: a plan that fails.
        fails: whether a plan still fails in that way.
        most_runs: how often *fails* is called at most.

    Returns:
        The shortest plan found; *plan* itself if every step is needed.
    """
    steps, size, runs = list(plan.steps), max(1, len(plan.steps) // 2), 0
    while runs < most_runs:
        start, shorter = 0, False
        while start < len(steps) and runs < most_runs:
            rest: list[Step] = steps[:start] + steps[start + size :]
            runs += 1
            if fails(plan.only(rest)):
                steps, shorter = rest, True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return plan.only(steps)
