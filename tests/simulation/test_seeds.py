"""Fifty seeds of the simulation, each in a process of its own, as the command runs them."""

import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "swarmcore.testing.simulation"]


def simulate(*arguments, code=0):
    """Run the command; return what it printed."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    run = subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("first", range(0, 50, 5))
def test_every_invariant_holds(first):
    printed = simulate("--seeds", f"{first}-{first + 4}", "--keep-going")
    assert "5 seeds" in printed
    assert "failed: none" in printed


def test_a_seed_has_the_same_history_each_time():
    first, second = simulate("--seeds", "13", "--history"), simulate("--seeds", "13", "--history")
    assert first == second
    assert "FAULT" in first
    assert "POST /containers/create" in first


def test_no_seed_is_begun_after_the_given_time():
    assert simulate("--seeds", "0-9", "--minutes", "0").startswith("0 seeds")


def test_seeds_differ():
    assert simulate("--seeds", "1", "--history") != simulate("--seeds", "2", "--history")
