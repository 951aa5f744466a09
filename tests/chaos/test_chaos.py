"""Real engines, managers and a store, with faults from one seed."""

import pytest

from tests.chaos.run import Run

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

SEED, SECONDS = 13, 95


def test_promises_hold_while_parts_fail():
    told = []
    held = Run(SEED, SECONDS, told.append).go()
    assert held, "\n".join(told)
