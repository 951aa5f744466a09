"""Time limits that a busy machine does not exceed."""

import pytest

from swarmcore.testing.contracts.quickness import assert_quick


@pytest.fixture
def machine():
    """Returns given measurements, and repeats the last one."""

    class Machine:
        times = ()
        measured = 0

        async def measure(self):
            self.measured += 1
            return self.times[min(self.measured, len(self.times)) - 1]

    return Machine()


@pytest.mark.parametrize(
    ("times", "measured"),
    [([[0.4, 1.9]], 1), ([[0.6, 0.1], [0.1, 2.1], [0.4, 1.9]], 3), ([[9, 9]] * 4 + [[0, 0]], 5)],
)
async def test_a_quick_measurement_ends_the_test(machine, times, measured):
    machine.times = times
    await assert_quick(machine.measure, 0.5, 2.0)
    assert machine.measured == measured


@pytest.mark.parametrize("times", [[[0.5, 0.1]], [[0.6, 0.1], [0.1, 2.1]] * 3])
async def test_measurements_that_are_never_quick_in_all_parts_fail(machine, times):
    machine.times = times
    with pytest.raises(AssertionError, match=r"never within \(0\.5, 2\.0\) s: \[\[0\.[56], 0\.1\]"):
        await assert_quick(machine.measure, 0.5, 2.0)
    assert machine.measured == 5
