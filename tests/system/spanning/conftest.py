"""Three engines with networks that span them, with a cluster store and as a swarm."""

import pytest

from tests.system.manager import Managers
from tests.system.spanning.spanning_fleet import NotReached, SpanningFleet, answers, start_engines


@pytest.fixture(scope="package", params=["store", "swarm"])
def spanning_fleet(request, lab, make_docker, tmp_path_factory):
    """Engines that share networks, started once for this folder because that takes long."""
    engines = start_engines(request.param, lab)
    managers = Managers(tmp_path_factory.mktemp("spanning"))
    manager = managers(",".join(engine.address for engine in engines))
    manager.wait_healthy(len(engines))
    yield SpanningFleet(request.param, lab, engines, manager, make_docker)
    managers.stop()
    for engine in engines:
        engine.power_off()


@pytest.fixture
def fleet(spanning_fleet):
    """The fleet; after each test, its containers and then its networks are removed."""
    yield spanning_fleet
    spanning_fleet.clean()


@pytest.fixture
def docker(fleet):
    return fleet.docker()


@pytest.fixture
def reaches(wait_until):
    """Wait until a container reaches another; engines exchange endpoints with some delay."""

    def reaches(docker, name, other):
        try:
            wait_until(lambda: answers(docker, name, other), f"{other} to answer {name}")
        except pytest.fail.Exception as error:
            raise NotReached(str(error)) from error
        return True

    return reaches


@pytest.fixture
def stranger(fleet):
    """An engine of the same fleet that shares no networks."""
    engine = fleet.lab.start_engine(f"{fleet.sort}-stranger", "28.5")
    fleet.lab.image(engine)
    yield engine
    engine.power_off()
    del fleet.lab.engines[engine.name]
