"""An embedded engine, and a client of it."""

import httpx
import pytest
import trio

from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.testing.ports import free_port
from tests.component.testing.embedded.docker_client import DockerClient


@pytest.fixture
async def engine():
    pullable = ["nginx", "nginx:*"]
    async with EmbeddedEngine("n1", pullable=pullable, port=free_port()).serving() as engine:
        with trio.fail_after(100):
            yield engine


@pytest.fixture
async def docker(engine):
    async with httpx.AsyncClient(
        base_url=f"http://{engine.address}", timeout=None, trust_env=False
    ) as http:
        yield DockerClient(engine, http)
