"""Three engines in memory."""

import pytest

from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2, 3)]
