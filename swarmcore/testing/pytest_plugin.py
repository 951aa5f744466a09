"""What pytest gets from swarmcore, in every environment where swarmcore is installed.

Loaded with each pytest run, so it imports nothing of the core before a fixture is used: that keeps
foreign test runs quick, and lets a coverage tool see the core's import lines.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from swarmcore.testing.embedded import EmbeddedEngine

pytest.register_assert_rewrite("swarmcore.testing.contracts")


@pytest.fixture
def embedded_engine() -> Callable[..., AbstractAsyncContextManager[EmbeddedEngine]]:
    """Start embedded engines: ``async with embedded_engine(memory=GiB) as engine``.

    Takes what ``EmbeddedEngine`` takes; without a name they are called n1, n2, ...  The engine
    serves for the length of the block, at ``engine.address``.
    """
    from swarmcore.testing.embedded import EmbeddedEngine

    numbers = itertools.count(1)

    def serving(
        name: str | None = None, **options: Any
    ) -> AbstractAsyncContextManager[EmbeddedEngine]:
        return EmbeddedEngine(name or f"n{next(numbers)}", **options).serving()

    return serving
