"""Engines of all releases answer several requests that are sent at once on one connection."""

import json

from swarmcore.addresses import parse_address
from swarmcore.http.client import Dialer, HTTPClient


async def test_inspections_that_are_sent_at_once_are_answered_in_order(fleet):
    docker = fleet.docker()
    made = [docker("create", "busybox") for _ in range(9)]
    listed = []
    for engine in fleet.engines.values():
        client = HTTPClient(Dialer(parse_address(engine.address)))
        containers = (await client.request("GET", "/containers/json?all=1")).json()
        ids = [each["Id"] for each in containers]
        targets = [f"/containers/{id}/json" for id in [*ids, "missing"]]
        for _ in range(2):
            answers = []
            await client.request_several(targets, answers.append)
            assert [answer.status for answer in answers] == [200] * len(ids) + [404]
            assert [json.loads(answer.body)["Id"] for answer in answers[:-1]] == ids
        listed += ids
        await client.aclose()
    assert sorted(listed) == sorted(made)
