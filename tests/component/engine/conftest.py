"""One engine in memory, its owner, and the manager's engine for it."""

import pytest

from tests.component.fleets import Recorder, make_engine
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def dockerd():
    return ScriptedEngine("n1")


@pytest.fixture
def owner():
    return Recorder()


@pytest.fixture
def engine(dockerd, owner):
    return make_engine(dockerd, owner)
