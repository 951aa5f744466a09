"""One of several managers, over real sockets: who answers, who forwards, who says it cannot."""

import json
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import trio
import trio.testing

from swarmcore.addresses import parse_address
from swarmcore.errors import NotPrimary
from swarmcore.gateway import Gateway
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.messages import Answer
from swarmcore.http.routing import Router
from swarmcore.http.server import Server
from swarmcore.protocols import Leader, Route
from swarmcore.replication import forwarder
from swarmcore.replication.forwarder import Forwarder
from swarmcore.replication.role import Role
from swarmcore.testing.doubles import FakeCluster

HEAD = "{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@dataclass
class Mandate:
    term: int = 1
    until: float = math.inf


class Member:
    """A manager whose handlers tell what they were asked."""

    def __init__(self, listener, wait_seconds):
        self.listener = listener
        self.address = f"127.0.0.1:{listener.socket.getsockname()[1]}"
        self.role = Role(self.address)
        self.seen, self.asked = [], trio.Event()
        self.answer = self._tell
        #: Set by a test that wants the handler of ``/x`` to wait.
        self.go = trio.Event()
        self.go.set()
        self.forwarder = Forwarder(
            self.role,
            lambda address: HTTPClient(Dialer(parse_address(address)), address, "primary manager"),
            lambda: FakeCluster.api_version,
            wait_seconds=wait_seconds,
        )
        routes = [
            Route("GET", "/info", self._handle, local=True),
            Route("GET", "/x", self._handle),
            Route("POST", "/x", self._handle),
            Route("POST", "/hijack", self._hijack),
        ]
        gateway = Gateway(
            Router(routes), FakeCluster(), lambda request: None, forward=self.forwarder.forward
        )
        self.server = Server(gateway.handle)

    async def _handle(self, exchange):
        body = await exchange.read_body()
        self.seen.append(body)
        self.asked.set()
        await self.go.wait()
        await self.answer(exchange)

    async def _tell(self, exchange):
        term = exchange.request.header("x-swarmcore-term")
        await exchange.send_json({"by": self.address, "term": term})

    async def _hijack(self, exchange):
        client = await exchange._exchange.take_over(
            b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        said = b""
        while data := await client.receive_some():
            said += data
        await client.send_all(b"you said " + said)

    def lead(self, *others, term=1, until=math.inf):
        """Be elected, and let the others hear of it."""
        self.role.elected(Mandate(term, until))
        for member in (self, *others):
            member.role.leader(Leader(self.address, term))

    async def ask(self, line, *, headers="", body=b""):
        """Status, headers and JSON of the answer."""
        if body:
            headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        host, _, port = self.address.partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all((HEAD.format(line) + headers + "\r\n").encode() + body)
            said = b""
            while data := await stream.receive_some():
                said += data
        head, _, content = said.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), dict(each.split(": ", 1) for each in lines), content


@pytest.fixture
def cluster():
    """Open so many managers, none of them elected."""

    @asynccontextmanager
    async def open_managers(count=2, *, wait_seconds=10.0):
        async with trio.open_nursery() as nursery:
            members = []
            for _ in range(count):
                [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
                member = Member(listener, wait_seconds)
                members.append(member)
                await nursery.start(member.server.run, [listener])
                nursery.start_soon(member.role.get_ready, trio.lowlevel.checkpoint)
            yield members
            for member in members:
                await member.forwarder.aclose()
            nursery.cancel_scope.cancel()

    return open_managers


async def wait_for(state):
    with trio.fail_after(60):
        while not state():  # noqa: ASYNC110  (nobody tells)
            await trio.sleep(0.01)


async def until_ready(member):
    while not member.role.answers:
        await member.role.changed()


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


async def test_a_path_that_nobody_knows_is_not_forwarded(cluster):
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


# ---- without a primary


async def test_without_a_primary_a_request_waits_and_is_then_told_so(cluster):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert json.loads(content) == {
            "message": "no primary cluster manager is elected; waited 0.1 s, try again"
        }
        status, _, _ = await replica.ask("GET /info")
        assert status == 200


async def test_a_request_that_waits_is_forwarded_once_there_is_a_primary(cluster):
    answers = []
    async with cluster() as (primary, replica), trio.open_nursery() as nursery:

        async def ask():
            answers.append(await replica.ask("POST /x", body=b"{}"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        primary.lead(replica)
    [(status, _, content)] = answers
    assert (status, json.loads(content)["by"]) == (200, primary.address)


async def test_a_request_that_waits_is_answered_here_once_this_manager_is_elected(cluster):
    async with cluster(1) as [member], trio.open_nursery() as nursery:

        async def ask():
            _, _, content = await member.ask("POST /x", body=b"{}")
            assert json.loads(content) == {"by": member.address, "term": None}

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        member.lead()


async def test_a_primary_that_is_gone_is_waited_for_by_its_name(cluster, closed_port):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        replica.role.leader(Leader(f"127.0.0.1:{closed_port}", 1))
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert "Unable to reach primary cluster manager" in json.loads(content)["message"]
        assert f"127.0.0.1:{closed_port}" in json.loads(content)["message"]


async def test_a_request_for_a_primary_that_is_gone_goes_to_its_successor(cluster, closed_port):
    answers = []
    async with cluster() as (successor, replica), trio.open_nursery() as nursery:
        replica.role.leader(Leader(f"127.0.0.1:{closed_port}", 1))

        async def ask():
            answers.append(await replica.ask("POST /x", body=b"{}"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        successor.lead(replica, term=2)
    [(status, _, content)] = answers
    assert (status, json.loads(content)) == (200, {"by": successor.address, "term": "2"})


async def test_a_leader_whose_address_is_nonsense_is_as_good_as_none(cluster):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        replica.role.leader(Leader("no address at all", 1))
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert "no address at all" in json.loads(content)["message"]


async def test_what_an_earlier_life_left_in_the_store_is_no_primary(cluster):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        replica.role.leader(Leader(replica.address, 1))
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert "no primary" in json.loads(content)["message"]


# ---- terms


@pytest.mark.parametrize(
    ("own", "asked", "status"),
    [(5, 5, 200), (6, 5, 200), (4, 5, 503)],
    ids=["the same", "an older one", "a newer one"],
)
async def test_a_primary_answers_for_its_term_and_for_those_before(cluster, own, asked, status):
    async with cluster(1, wait_seconds=0.1) as [primary]:
        primary.lead(term=own)
        answered, headers, _ = await primary.ask("GET /x", headers=f"X-Swarmcore-Term: {asked}\r\n")
        assert answered == status
        assert ("X-Swarmcore-Not-Primary" in headers) == (status == 503)


async def test_a_request_that_was_forwarded_is_not_forwarded_again(cluster):
    async with cluster() as (primary, replica):
        primary.lead(replica, term=3)
        status, headers, _ = await replica.ask("GET /x", headers="X-Swarmcore-Term: 3\r\n")
        assert status == 503
        assert "X-Swarmcore-Not-Primary" in headers
        assert primary.seen == []


async def test_a_manager_that_does_not_know_of_its_election_yet_is_waited_for(cluster):
    answers = []
    async with cluster() as (primary, replica), trio.open_nursery() as nursery:
        for member in (primary, replica):
            member.role.leader(Leader(primary.address, 4))

        async def ask():
            answers.append(await replica.ask("GET /x"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        primary.lead(term=4)
    assert answers[0][0] == 200


@pytest.mark.parametrize("term", ["", "x", "-1", "9" * 30])
async def test_a_term_that_is_none_is_refused(cluster, term):
    async with cluster(1) as [member]:
        status, _, _ = await member.ask("GET /x", headers=f"X-Swarmcore-Term: {term}\r\n")
        assert status == 400


async def test_a_mandate_that_has_ended_is_none_although_nobody_has_said_so(cluster):
    async with cluster(1, wait_seconds=0.1) as [member]:
        member.lead(until=math.inf)
        await until_ready(member)
        member.role._mandate.until = trio.current_time()
        with pytest.raises(NotPrimary):
            member.role.check()
        assert (await member.ask("GET /x"))[0] == 503


# ---- a primary that changes while it is asked


async def test_what_a_manager_did_not_do_is_asked_of_its_successor(cluster):
    """The old primary says so: it lost its mandate before the replica heard of it."""
    async with cluster(3) as (old, new, replica), trio.open_nursery() as nursery:
        old.lead(new, replica, term=1)
        await until_ready(old)

        async def take_over():
            new.lead(old, replica, term=2)

        async def lose(exchange):
            old.role.lost()
            nursery.start_soon(take_over)
            old.role.check()

        old.answer = lose
        status, _, content = await replica.ask("POST /x", body=b'{"Image": "busybox"}')
        assert (status, json.loads(content)) == (200, {"by": new.address, "term": "2"})
        assert old.seen == new.seen == [b'{"Image": "busybox"}']


async def test_a_primary_that_hangs_and_has_a_successor_is_given_up(cluster, monkeypatch):
    """It is not asked of the successor: the old one may have done it."""
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0.01)
    async with cluster(3) as (old, new, replica), trio.open_nursery() as nursery:
        old.lead(new, replica, term=1)
        old.go = trio.Event()

        async def ask():
            status, _, content = await replica.ask("POST /x", body=b"{}")
            assert status == 503
            assert "whether it did what was asked is unknown" in json.loads(content)["message"]

        nursery.start_soon(ask)
        await old.asked.wait()
        new.lead(replica, term=2)
    assert new.seen == []


async def test_a_primary_that_is_elected_again_is_still_waited_for(cluster, monkeypatch):
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0)
    async with cluster() as (primary, replica), trio.open_nursery() as nursery:
        primary.lead(replica, term=1)
        primary.go = trio.Event()

        async def ask():
            assert (await replica.ask("POST /x", body=b"{}"))[0] == 200

        nursery.start_soon(ask)
        await primary.asked.wait()
        primary.role.lost()
        primary.lead(replica, term=2)
        await trio.testing.wait_all_tasks_blocked(0.05)
        primary.go.set()


async def test_an_answer_that_has_begun_goes_on_when_another_leads(cluster, monkeypatch):
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0)
    async with cluster(3) as (old, new, replica):
        old.lead(new, replica, term=1)
        begun, go_on = trio.Event(), trio.Event()

        async def stream(exchange):
            async with exchange.stream() as send:
                await send(b"one ")
                begun.set()
                await go_on.wait()
                await send(b"two")

        old.answer = stream
        answers = []
        async with trio.open_nursery() as nursery:

            async def ask():
                answers.append(await replica.ask("GET /x"))

            nursery.start_soon(ask)
            await begun.wait()
            new.lead(replica, term=2)
            await trio.testing.wait_all_tasks_blocked(0.05)
            go_on.set()
        assert answers[0][0] == 200
        assert b"two" in answers[0][2]


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
