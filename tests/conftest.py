"""What all tests share: real engines are used where there are any, and required where asked for."""

import functools
import os

import pytest

from swarmcore.testing.lab import available


@functools.cache
def why_no_docker() -> str | None:
    """Why real engines cannot run here, or ``None``."""
    return available()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked ``docker`` needs real engines: without them it is skipped, or fails."""
    if item.get_closest_marker("docker") is None or why_no_docker() is None:
        return
    if os.environ.get("SWARMCORE_REQUIRE_DOCKER") == "1":
        pytest.fail(f"real engines are required here: {why_no_docker()}", pytrace=False)
    pytest.skip(f"no real engines: {why_no_docker()}")
