"""A failing plan is shortened to the steps that it needs, and is drawn the same each time."""

import pytest

from swarmcore.testing.simulation import Plan, Step, draw_plan
from swarmcore.testing.simulation.forks import RunLost, run_forked
from swarmcore.testing.simulation.shrinking import shorten


def a_plan(count):
    steps = tuple(Step(float(n), "c1", "list", name=str(n)) for n in range(count))
    return Plan(1, ("m1",), ("n1",), ("c1",), False, steps)


def test_a_plan_is_shortened_to_the_steps_that_it_needs():
    def fails(plan):
        return {"3", "17"} <= {step.name for step in plan.steps}

    shorter = shorten(a_plan(40), fails)
    assert [step.name for step in shorter.steps] == ["3", "17"]


def test_shortening_ends_after_some_runs():
    runs = []

    def fails(plan):
        runs.append(plan)
        return False

    assert shorten(a_plan(100), fails, most_runs=7) == a_plan(100)
    assert len(runs) == 7


def test_a_seed_draws_the_same_plan_each_time():
    assert draw_plan(4) == draw_plan(4)
    assert draw_plan(4) != draw_plan(5)


def test_plans_have_every_kind_of_fault_and_both_numbers_of_managers():
    plans = [draw_plan(seed) for seed in range(200)]
    kinds = {step.what for plan in plans for step in plan.faults}
    assert kinds == {
        *("crash", "hang", "cut", "slow", "lose", "drop", "late", "repeat", "reorder", "clock"),
        *("kill", "partition", "store", "forget", "close", "stop"),
    }
    assert {len(plan.managers) for plan in plans} == {1, 2}
    assert max(len(plan.engines) for plan in plans) == 50
    assert {plan.is_fenced for plan in plans} == {True, False}


def test_runs_in_other_processes_return_their_results():
    results = dict(run_forked(lambda n: n * n, range(5), jobs=2, seconds=10))
    assert results == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}


def test_a_run_that_has_no_result_is_an_error():
    with pytest.raises(RunLost, match="status"):
        list(run_forked(lambda n: 1 // n, [0], jobs=1, seconds=10))
