"""Filters mean what engines make of them: in both forms, with every mark, on lists and prunes.

The same objects are on an engine of each release.  Each engine is asked directly and a manager
before all of them: where the newest one refuses, the manager refuses so; else every engine's
objects in the manager's answer are those that the engine itself lists, or spares.
"""

import pytest

from tests.system.filter_verdicts.sides import Side


@pytest.fixture(scope="module")
def manager(shared_fleet):
    side = Side(f"127.0.0.1:{shared_fleet.manager.port}")
    yield side
    side.connection.close()


@pytest.fixture(scope="module")
def sides(engines):
    """Every engine by its name, the newest last."""
    sides = {name: Side(engine.address) for name, engine in engines.items()}
    yield sides
    for side in sides.values():
        side.connection.close()
