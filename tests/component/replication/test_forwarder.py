"""A replica answers local requests itself and forwards all others unchanged."""

import json

import pytest
import trio
import trio.testing

from swarmcore.http.messages import Answer
from tests.component.replication.members import HEAD, until_ready, wait_for


async def test_a_replica_answers_for_itself_and_forwards_the_rest_with_the_term(cluster):
    async with cluster() as (primary, replica):
        primary.lead(replica, term=7)
        _, _, content = await replica.ask("GET /v1.41/info")
        assert json.loads(content) == {"by": replica.address, "term": None}
        status, headers, content = await replica.ask("GET /v1.41/x")
        assert (status, json.loads(content)) == (200, {"by": primary.address, "term": "7"})
        assert headers["Api-Version"] == "1.41"
        _, _, content = await primary.ask("GET /v1.41/x")
        assert json.loads(content) == {"by": primary.address, "term": None}


async def test_an_unknown_path_is_not_forwarded(cluster):
    async with cluster() as (primary, replica):
        primary.lead(replica)
        status, _, content = await replica.ask("GET /nowhere")
        assert (status, json.loads(content)) == (404, {"message": "page not found"})


@pytest.mark.parametrize("size", [0, 10, 3_000_000], ids=["no", "a small", "a large"])
async def test_a_body_and_the_primarys_own_error_pass_whole(cluster, size):
    async def refuse(exchange):
        await exchange.send(Answer(418, ((b"X-Mine", b"1"),), b"teapot"))

    body = b"1" * size
    async with cluster() as (primary, replica):
        primary.lead(replica)
        primary.answer = refuse
        status, headers, content = await replica.ask("POST /x", body=body)
        assert (status, headers["X-Mine"], content) == (418, "1", b"teapot")
        assert primary.seen == [body]


async def test_a_hijack_passes_with_its_half_closes(cluster):
    async with cluster() as (primary, replica):
        primary.lead(replica)
        host, _, port = replica.address.partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(
                b"POST /hijack HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
            )
            await stream.send_all(b"good ")
            await stream.send_all(b"day")
            await stream.send_eof()
            said = b""
            while data := await stream.receive_some():
                said += data
        assert said.startswith(b"HTTP/1.1 101 ")
        assert said.endswith(b"\r\n\r\nyou said good day")


async def test_a_client_that_leaves_is_not_waited_for(cluster):
    async with cluster(1) as [replica]:
        host, _, port = replica.address.partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all((HEAD.format("GET /x") + "\r\n").encode())
            await trio.testing.wait_all_tasks_blocked(0.02)
        await wait_for(lambda: replica.server.connection_count == 0)
        replica.lead()
        await until_ready(replica)
        assert replica.seen == []
