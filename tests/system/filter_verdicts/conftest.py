"""Filters of lists, events and prunes through the manager, compared with those of engines.

The same objects are on an engine of each release.  Requests go to each engine directly, and to a
manager of all of them.  If the newest engine refuses a filter, the manager must refuse it in the
same way.  Otherwise the manager's answer must contain, for each engine, the objects that the engine
itself lists or keeps.
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
