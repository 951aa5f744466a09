"""Every row of ``docs/reliability.md`` is complete, and the tests that it names exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in (ROOT / "docs" / "reliability.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| fault |", "| --- |"))
]
FOLDERS = ("tests", "plugins/*/tests", "packages/lab/swarmcore_lab/contracts")
TESTS = "".join(path.read_text() for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.py"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_fault_has_its_outcome_and_tests_that_exist(row):
    assert len(row) in (4, 2)  # with two columns: a fault that the project had
    assert all(row)
    named = [name for name in re.findall(r"`([^`]+)`", row[-1]) if "test" in name]
    assert named
    for name in named:
        assert (ROOT / name).exists() or f"def {name}(" in TESTS, name
