"""Creates that wait for free resources, as clients and operators see them."""

import json

import pytest
import trio

from swarmcore.addresses import parse_address
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.model import GiB
from swarmcore.testing.embedded import EmbeddedEngine

JSON = ((b"Content-Type", b"application/json"),)


@pytest.fixture
def engine():
    """An engine without free resources."""
    engine = EmbeddedEngine("n1", memory=GiB)
    engine.add_container("old", body={"HostConfig": {"Memory": GiB}})
    return engine


@pytest.fixture
async def client(tmp_path):
    """A client of the manager."""
    address = parse_address(f"unix://{tmp_path}/manager.sock")
    client = HTTPClient(Dialer(address))
    yield client
    await client.aclose()


async def create(client, name, memory=GiB):
    body = {"Image": "busybox", "HostConfig": {"Memory": memory}}
    target = f"/v1.41/containers/create?name={name}"
    answer = await client.request("POST", target, body=json.dumps(body).encode(), headers=JSON)
    return answer.status, answer.json()


async def wait_until(condition):
    with trio.fail_after(100):
        while not condition():  # noqa: ASYNC110  (of state that has no event)
            await trio.sleep(0.01)


async def test_a_waiting_create_is_shown_and_gets_freed_resources(operate, engine, client):
    async with operate(engine, queue_seconds=600) as swarmcore, trio.open_nursery() as nursery:
        created = []

        async def wait_for_room():
            created.append(await create(client, "web"))

        nursery.start_soon(wait_for_room)
        await wait_until(swarmcore.cluster.waiting)
        shown = (await swarmcore.text("nodes")).splitlines()[-1]
        assert shown.startswith("1 create waiting for room, the longest for ")
        info = (await client.request("GET", "/v1.41/info")).json()
        assert "Waiting" in dict(info["SystemStatus"])
        (waiting,) = (await client.request("GET", "/swarmcore/queue")).json()
        assert (waiting["Name"], waiting["Image"]) == ("web", "busybox")
        assert (await client.request("DELETE", "/v1.41/containers/old?force=1")).status == 204
        await wait_until(lambda: created)
        assert created[0][0] == 201
        assert "waiting" not in await swarmcore.text("nodes")


async def test_a_disconnected_client_no_longer_waits(operate, engine, client):
    async with operate(engine, queue_seconds=600) as swarmcore:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(create, client, "web")
            await wait_until(swarmcore.cluster.waiting)
            nursery.cancel_scope.cancel()
        await wait_until(lambda: not swarmcore.cluster.waiting())
        await client.request("DELETE", "/v1.41/containers/old?force=1")
        assert (await create(client, "other"))[0] == 201
        assert [each.name for each in engine.containers] == ["other"]


async def test_a_refusal_after_waiting_also_tells_the_wait(operate, engine, client):
    async with operate(engine, queue_seconds=0.5, overcommit=0.0):
        status, answer = await create(client, "web")
        assert status == 503
        assert answer["message"] == (
            "no node fits: 0 of 1 nodes: 1 memory (needs 1 GiB, most free 0 B on n1),"
            " after waiting 0.5 s"
        )
