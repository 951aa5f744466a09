"""Amounts in a form for people."""

import pytest

from swarmcore.model import NANO, GiB, MiB
from swarmcore.sizes import show_bytes, show_cpus


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (100 * MiB, "100 MiB"),
        (round(3.1 * GiB), "3.1 GiB"),
        (2 * GiB + 1, "2 GiB"),
        (2041028 * 1024, "1.946 GiB"),
        (2**80, "1.049e+06 EiB"),
    ],
)
def test_bytes(size, text):
    assert show_bytes(size) == text


@pytest.mark.parametrize(
    ("nano_cpus", "text"), [(0, "0 CPUs"), (NANO, "1 CPU"), (NANO // 2, "0.5 CPUs")]
)
def test_cpus(nano_cpus, text):
    assert show_cpus(nano_cpus) == text
