"""The simulation finds bugs: each of five that were put in on purpose, by a seed below 200."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Bug -> a seed that finds it, and the invariant that does not hold then.
FOUND = {
    "claim": (0, "claims"),
    "events": (0, "events"),
    "fence": (3, "runs once"),
    "leadership": (43, "leadership"),
    "read": (0, "read your writes"),
}


def run_plant(*arguments):
    """Run ``python -m tests.simulation.plants``; return what it printed."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.simulation.plants", *arguments]
    run = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("plant", FOUND)
def test_a_bug_is_found(plant):
    seed, invariant = FOUND[plant]
    assert f"{plant} {seed}: {invariant}: " in run_plant(plant, str(seed), str(seed))
