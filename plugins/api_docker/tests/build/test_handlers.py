"""Which engine each request of a builder goes to."""

import io
import tarfile
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
import trio
import trio.testing
from swarmcore_api_docker.build.handlers import Builds

from swarmcore.errors import (
    BadRequest,
    EngineError,
    EngineUnreachable,
    NoNodeFits,
    NotFound,
    Unavailable,
)
from swarmcore.http.messages import Client
from swarmcore.images import named_ids
from swarmcore.model import Drain, NodeSettings, State
from swarmcore.versions import ApiVersion

TO_N2 = "buildargs=" + quote('{"constraint:node":"=n2"}')
CLI, BUILDX = (b"User-Agent", b"Docker-Client/20.10.24 (linux)"), (b"User-Agent", b"Go-http")


class Builder:
    """Clients of ``Builds`` before three engines."""

    def __init__(self, docker):
        self.docker, self.builds = docker, Builds()
        self.engines = [docker.Engine(docker.node(f"n{n}", f"10.0.0.{n}")) for n in (1, 2, 3)]
        self.cluster = docker.Cluster(*self.engines)

    def exchange(self, target, *, host="127.0.0.1", session=None, agent=BUILDX):
        uuid = ((b"X-Docker-Expose-Session-Uuid", session.encode()),) if session else ()
        exchange = self.docker.Exchange(self.cluster, "POST", target, headers=(agent, *uuid))
        object.__setattr__(exchange.request, "client", Client(host))
        return exchange

    async def run(self, exchange):
        routes = {route.template: route.handler for route in self.builds.routes()}
        await routes[exchange.request.path](exchange)
        return exchange

    async def where(self, target, **options):
        """Send one request, and return the engine that answered it."""
        exchange = await self.run(self.exchange(target, **options))
        return exchange.relayed[0].node.name

    @asynccontextmanager
    async def open(self, target, **options):
        """Keep a request open during the block; yields its engine."""
        exchange = self.exchange(target, **options)
        exchange.hold = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.run, exchange)
            await exchange.relaying.wait()
            yield exchange.relayed[0].node.name
            exchange.hold.set()


@pytest.fixture
def builder(docker):
    return Builder(docker)


async def test_a_classic_build_obeys_constraints_in_build_arguments(builder):
    exchange = await builder.run(builder.exchange(f"/v1.41/build?t=a%3Ab&{TO_N2}&q=1"))
    engine, path = exchange.relayed
    assert (engine.node.name, path) == ("n2", "/build?t=a%3Ab&buildargs=%7B%7D&q=1")
    assert engine.refreshed == ["images", "containers"]


async def test_a_classic_build_goes_where_its_image_is_wanted_or_was_built(builder):
    _, n2, n3 = (engine.node for engine in builder.engines)
    n3.images = {"sha256:1": {"RepoTags": ["app:1"], "RepoDigests": []}}
    assert await builder.where("/build?t=app:1") == "n3"
    assert await builder.where("/build?t=app:2") == "n1"
    assert await builder.where(f"/build?t=app:1&{TO_N2}") == "n2"
    n2.put_container(builder.docker.container("one", image="app:1"))
    assert await builder.where("/build?t=docker.io/library/app:1") == "n2"
    n3.state = State.UNHEALTHY
    n2.state = State.UNHEALTHY
    assert await builder.where("/build?t=app:1") == "n1"


@pytest.mark.parametrize("tag", ["shop_web", "shop-web:latest"])
async def test_a_classic_build_of_a_compose_project_goes_where_the_project_is(builder, tag):
    network = {"Id": "1", "Name": "shop_net", "Labels": {"com.docker.compose.project": "shop"}}
    builder.engines[2].node.networks = {"1": network}
    assert await builder.where(f"/build?t={tag}") == "n3"
    assert await builder.where("/build?t=shopping") == "n1"
    assert await builder.where("/build") == "n1"


async def test_an_old_engine_gets_only_classic_builds(builder):
    for engine in builder.engines[:2]:
        engine.node.api_version = ApiVersion(1, 38)
    assert await builder.where("/build") == "n1"
    assert await builder.where("/grpc") == "n3"
    builder.engines[2].node.state = State.UNHEALTHY
    with pytest.raises(Unavailable, match="DOCKER_BUILDKIT=0"):
        await builder.where("/grpc")


async def test_builds_at_once_go_to_several_engines(builder):
    async with builder.open("/build") as one, builder.open("/build") as two:
        assert {one, two, await builder.where("/build")} == {"n1", "n2", "n3"}


async def test_all_tunnels_of_a_client_go_to_one_engine(builder):
    async with builder.open("/grpc") as first, builder.open("/session", session="s") as second:
        assert await builder.where("/grpc") == first == second
        assert await builder.where("/grpc", host="10.9.9.9") != first
        assert await builder.where("/build?version=2") == first
    assert await builder.where("/grpc") == first
    assert builder.engines[0].refreshed == ["images", "images"]


async def test_an_engine_that_is_down_gets_no_build(builder):
    assert await builder.where("/grpc") == "n1"
    builder.engines[0].node.state = State.UNHEALTHY
    assert await builder.where("/grpc") == "n2"
    builder.engines[0].node.state = State.HEALTHY
    assert await builder.where("/grpc") == "n2"


async def test_a_drained_engine_finishes_builds_and_gets_no_new_client(builder):
    async with builder.open("/grpc") as first:
        assert first == "n1"
        builder.engines[0].node.apply(NodeSettings(Drain("kernel upgrade")))
        assert await builder.where("/grpc") == "n1"
    assert await builder.where("/grpc") == "n2"


async def test_an_unreachable_engine_is_not_remembered(builder):
    exchange = builder.exchange("/grpc")
    exchange.engine_answer = EngineUnreachable("n1", "no route to host")
    with pytest.raises(EngineUnreachable):
        await builder.run(exchange)
    builder.engines.insert(0, builder.engines.pop())
    builder.cluster = builder.docker.Cluster(*builder.engines)
    assert await builder.where("/grpc") == "n3"


async def test_a_session_waits_for_the_build_that_names_it(builder, autojump_clock):
    session = builder.exchange("/session", session="s", agent=CLI)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(builder.run, session)
        await trio.testing.wait_all_tasks_blocked()
        assert session.relayed is None
        assert await builder.where(f"/build?version=2&session=s&buildid=b&{TO_N2}") == "n2"
    assert session.relayed[0].node.name == "n2"
    assert trio.current_time() < 1
    assert await builder.where("/grpc") == "n1"  # a build's wish is not its client's


async def test_a_session_that_no_build_names_goes_to_its_clients_engine(builder, autojump_clock):
    started = trio.current_time()
    assert await builder.where("/session", session="s", agent=CLI) == "n1"
    assert trio.current_time() - started == pytest.approx(5)
    assert await builder.where("/build?version=2&session=s") == "n1"
    with pytest.raises(NoNodeFits):
        await builder.where(f"/build?version=2&session=s&{TO_N2}")


async def test_a_session_of_buildx_does_not_wait(builder, autojump_clock):
    started = trio.current_time()
    await builder.where("/session", session="s", agent=BUILDX)
    assert trio.current_time() == started


async def test_upload_and_cancel_go_to_their_build(builder, autojump_clock):
    upload = builder.exchange("/build?version=2&buildid=upload-request:b")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(builder.run, upload)  # may come before the build that asks for it
        await trio.testing.wait_all_tasks_blocked()
        assert await builder.where(f"/build?version=2&session=s&buildid=b&{TO_N2}") == "n2"
    assert upload.relayed[0].node.name == "n2"
    assert await builder.where("/build/cancel?id=b") == "n2"


@pytest.mark.parametrize(
    ("target", "error"),
    [("/build/cancel?id=ghost", NotFound), ("/build/cancel", BadRequest)],
)
async def test_nothing_to_cancel(builder, autojump_clock, target, error):
    with pytest.raises(error):
        await builder.where(target)


# ---- bases


class FakeTransfer:
    """Copies images between the fake engines, and records each copy."""

    def __init__(self):
        self.carried = []

    async def copy(self, cluster, name, source, target):
        await trio.lowlevel.checkpoint()
        if name == "broken:1":
            raise EngineError(target.name, "no space left on device")
        self.carried.append((name, source.name, target.name))
        given = {id: source.images[id] for id in named_ids(source.images, name)}
        target.images = {**target.images, **given}


def with_image(engine, *names):
    images = {f"sha256:{name}": {"RepoTags": [name], "RepoDigests": []} for name in names}
    engine.node.images = {**engine.node.images, **images}


@pytest.fixture
def based(builder):
    """Builds with the fake transfer."""
    builder.transfer = FakeTransfer()
    builder.builds = Builds(transfer=builder.transfer)
    return builder


def upload(builder, target, dockerfile, *, before=b"", name="Dockerfile"):
    exchange = builder.exchange(target)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for each, data in (("before", before), (name, dockerfile)):
            member = tarfile.TarInfo(each)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    exchange.context = content.getvalue()
    exchange.uploaded = [exchange.context[at : at + 65536]
                         for at in range(0, len(exchange.context), 65536)]  # fmt: skip
    return exchange


async def test_a_build_goes_to_an_engine_with_its_base_image(based):
    with_image(based.engines[1], "base:1")
    exchange = await based.run(upload(based, "/build?t=a", b"FROM base:1"))
    assert exchange.relayed[0].node.name == "n2"
    assert exchange.sent == exchange.context
    assert based.transfer.carried == []


@pytest.mark.parametrize("size", [0, 3 << 20], ids=["beginning", "end of the context"])
async def test_a_base_image_is_copied_to_the_node_of_the_build(based, size):
    with_image(based.engines[0], "base:1")
    exchange = upload(based, f"/build?{TO_N2}", b"FROM base:1", before=bytes(size))
    await based.run(exchange)
    assert exchange.relayed[0].node.name == "n2"
    assert based.transfer.carried == [("base:1", "n1", "n2")]
    assert exchange.sent == exchange.context


async def test_arguments_names_and_caches_are_read_from_the_query(based):
    with_image(based.engines[0], "base:1", "cache:1", "other:1")
    arguments = quote('{"constraint:node":"=n2","V":"1"}')
    target = f"/build?buildargs={arguments}&dockerfile=d/f&target=one&cachefrom=" + quote(
        '["cache:1"]'
    )
    text = b"ARG V=0\nFROM base:$V AS one\nFROM other:1\n"
    await based.run(upload(based, target, text, name="d/f"))
    assert based.transfer.carried == [("cache:1", "n1", "n2"), ("base:1", "n1", "n2")]


async def test_a_context_for_buildkit_in_the_body_is_read_too(based):
    with_image(based.engines[0], "base:1")
    exchange = upload(based, f"/build?version=2&{TO_N2}", b"FROM base:1")
    await based.run(exchange)
    assert based.transfer.carried == [("base:1", "n1", "n2")]
    assert exchange.sent == exchange.context


@pytest.mark.parametrize(
    ("query", "dockerfile"),
    [
        ("pull=1&", b"FROM base:1"),
        ("", b"FROM base@sha256:" + b"1" * 64),
        ("", b"FROM nowhere:1"),
        ("", b"FROM broken:1"),
        ("buildargs=[&cachefrom={}&", b"nonsense"),
    ],
    ids=["pulls", "digest", "nowhere", "fails", "nonsense"],
)
async def test_an_image_that_cannot_be_copied_is_left_to_the_engine(based, query, dockerfile):
    with_image(based.engines[0], "base:1", "broken:1")
    target = f"/build?{query}labels=" + quote('{"com.docker.swarm.constraints":"[\\"node==n2\\"]"}')
    exchange = await based.run(upload(based, target, dockerfile))
    assert exchange.relayed[0].node.name == "n2"
    assert exchange.sent == exchange.context
    assert based.transfer.carried == []


async def test_builds_at_once_spread_although_one_engine_has_the_base(based):
    with_image(based.engines[0], "base:1")
    async with based.open("/build") as first:
        exchange = await based.run(upload(based, "/build", b"FROM base:1"))
        assert exchange.relayed[0].node.name != first == "n1"
        assert based.transfer.carried == [("base:1", "n1", "n2")]
