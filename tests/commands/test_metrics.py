"""Metrics of a whole manager, parsed by Prometheus' own parser."""

from contextlib import asynccontextmanager

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from swarmcore.addresses import parse_address
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.testing.embedded import EmbeddedEngine

SMALL = b'{"Image": "busybox"}'
LARGE = b'{"Image": "busybox", "HostConfig": {"Memory": 9000000000}}'


@pytest.fixture
def ask():
    """A client of a running manager."""

    @asynccontextmanager
    async def ask(swarmcore):
        client = HTTPClient(Dialer(parse_address(swarmcore.environment["DOCKER_HOST"])))
        try:
            yield client
        finally:
            with trio.CancelScope(shield=True):
                await client.aclose()

    return ask


async def read(client):
    """Return every sample: name and labels -> value."""
    answer = await client.request("GET", "/metrics")
    assert answer.status == 200
    return {
        (sample.name.removeprefix("swarmcore_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


async def create(client, body):
    headers = ((b"Content-Type", b"application/json"),)
    return await client.request("POST", "/containers/create", body=body, headers=headers)


async def test_a_placement_a_refusal_and_a_follower_are_counted(operate, ask):
    async with operate(EmbeddedEngine("n1", memory=1 << 30)) as swarmcore, ask(swarmcore) as client:
        before = await read(client)
        assert (before["nodes", "healthy"], before["discovery_up",]) == (1, 1)
        assert (await create(client, SMALL)).status == 201
        refused = await create(client, LARGE)
        assert refused.status >= 400
        async with client.lines("/events"):
            found = await read(client)
        assert found["requests_open", "events"] == 1
        assert found["event_followers",] == 1
        assert found["containers", "created"] == 1
        assert found["decisions_total", "placed", "create"] == 1
        assert found["decisions_total", "refused", "create"] == 1
        assert found["node_refusals_total", "memory"] == 1
        assert found["requests_total", "containers", "201"] == 1
        assert found["requests_total", "containers", str(refused.status)] == 1
        assert found["received_bytes_total", "containers"] == len(SMALL + LARGE)
        assert found["sent_bytes_total", "metrics"] > 1000


async def test_a_failure_of_discovery_is_shown_until_it_ends(operate, ask):
    async with operate(EmbeddedEngine("n1")) as swarmcore, ask(swarmcore) as client:
        membership = swarmcore.cluster.membership
        listed = (await read(client))["discovery_list_timestamp_seconds",]
        membership.failed("the store does not answer")
        found = await read(client)
        assert (found["discovery_up",], found["nodes", "healthy"]) == (0, 1)
        assert found["discovery_list_timestamp_seconds",] == listed > 0
        membership.entries([swarmcore.cluster.engines()[0].entry])
        assert (await read(client))["discovery_up",] == 1
