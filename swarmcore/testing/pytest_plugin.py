"""The pytest plugin of swarmcore, which pytest loads wherever swarmcore is installed.

It imports nothing of the core before a fixture is used: other projects' test runs stay quick, and a
coverage tool sees the core's import lines.
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

    The arguments are those of ``EmbeddedEngine``; the default names are n1, n2, ...  The engine
    serves during the block, at ``engine.address``.
    """
    from swarmcore.testing.embedded import EmbeddedEngine

    numbers = itertools.count(1)

    def serving(
        name: str | None = None, **options: Any
    ) -> AbstractAsyncContextManager[EmbeddedEngine]:
        return EmbeddedEngine(name or f"n{next(numbers)}", **options).serving()

    return serving
