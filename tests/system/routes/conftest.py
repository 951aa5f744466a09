"""One engine, and the manager of three, which get the same raw requests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.system.raw_requests import Reply, ask
from tests.system.routes.place import Place


@pytest.fixture(scope="session")
def registry(lab: Any, engines: dict[str, Any]) -> Any:
    """A registry without a password, with the image ``tool:1``."""
    registry = lab.registry()
    registry.push(engines["old"], "busybox:latest", "tool:1")
    return registry


@pytest.fixture(scope="module", params=["direct", "cluster"])
def place(request: pytest.FixtureRequest, shared_fleet: Any, registry: Any) -> Iterator[Place]:
    """An engine of the newest release, then the manager of it and of two others."""
    if request.param == "cluster":
        address, node = f"127.0.0.1:{shared_fleet.manager.port}", "new"
    else:
        address, node = shared_fleet.engines["new"].address, None
    place = Place(request.param, address, node, registry)
    yield place
    place.close()


@pytest.fixture(scope="session")
def raw_ask() -> Callable[..., Reply]:
    """See ``ask``."""
    return ask
