"""Parameters that an old engine would ignore are refused, and only those."""

import pytest
from swarmcore_api_docker import swarmcore_routes
from swarmcore_api_docker.compat.version_gates import able_engines, needs_of_verb, require_able

from swarmcore.errors import BadRequest
from swarmcore.http.messages import Query, json_answer
from swarmcore.versions import ApiVersion

HANDLERS = {(route.method, route.template): route.handler for route in swarmcore_routes({})}
SYSCTLS = {"DriverOpts": {"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.x=1"}}


@pytest.fixture
def ask(docker):
    """Send a request to a cluster of ``old`` (1.41) and ``new`` (1.51); return the exchange.

    Each node has a container and a network called like the node.
    """
    engines = []
    for name, minor in (("old", 41), ("new", 51)):
        network = {"Id": name * 20, "Name": f"net-{name}", "Driver": "bridge", "Scope": "local"}
        node = docker.node(name, "10.0.0.1", docker.container(name))
        node.api_version, node.networks = ApiVersion(1, minor), {network["Id"]: network}
        made = json_answer({"Id": "made"}, 201)
        engines.append(docker.Engine(node, {"/networks/create": made}))
    cluster = docker.Cluster(*engines)

    async def ask(template, path, body=None):
        name = path.split("/")[3]
        exchange = docker.Exchange(
            cluster, "POST", path, params={"name": name, "id": name}, body=body
        )
        await HANDLERS["POST", template](exchange)
        return exchange

    return ask


# ---- containers


@pytest.mark.parametrize("verb", ["stop", "restart"])
async def test_a_stop_signal_needs_an_engine_that_knows_it(ask, verb):
    template = f"/containers/{{name}}/{verb}"
    assert (await ask(template, f"/v1.51/containers/new/{verb}?signal=USR1")).relayed
    assert (await ask(template, f"/v1.51/containers/old/{verb}?t=1")).relayed
    with pytest.raises(BadRequest) as raised:
        await ask(template, f"/v1.51/containers/old/{verb}?signal=USR1")
    assert str(raised.value) == '"signal" requires API version 1.42, which old lacks'


async def test_the_stop_signal_is_ignored_on_older_paths(ask):
    exchange = await ask("/containers/{name}/stop", "/v1.41/containers/old/stop?signal=9")
    assert exchange.relayed[0].node.name == "old"


def test_other_verbs_need_nothing():
    query = Query.parse("signal=KILL")
    assert needs_of_verb("kill", query, ApiVersion(1, 51)) == []
    assert needs_of_verb("stop", Query.parse("signal="), ApiVersion(1, 51)) == []


# ---- networks


@pytest.mark.parametrize(
    ("endpoint", "field"),
    [({"GwPriority": 3}, "GwPriority"), ({"gwpriority": 3}, "GwPriority"), (SYSCTLS, "sysctls")],
    ids=str,
)
@pytest.mark.parametrize("version", ["1.41", "1.51"])
async def test_a_connect_needs_an_engine_that_heeds_it(ask, endpoint, field, version):
    def body(name):
        return {"Container": name, "EndpointConfig": endpoint}

    template = "/networks/{id}/connect"
    assert (await ask(template, f"/v{version}/networks/net-new/connect", body("new"))).relayed
    with pytest.raises(BadRequest, match=f'{field}" requires API version .* which old lacks'):
        await ask(template, f"/v{version}/networks/net-old/connect", body("old"))


async def test_a_plain_connect_goes_to_old_engines_too(ask):
    body = {"Container": "old", "EndpointConfig": {"Aliases": ["a"], "GwPriority": 0}}
    assert (await ask("/networks/{id}/connect", "/v1.51/networks/net-old/connect", body)).relayed


async def test_a_network_without_ipv4_needs_an_engine_that_knows_the_field(ask):
    body = {"Name": "old/web", "EnableIPv4": False, "EnableIPv6": True}
    with pytest.raises(BadRequest) as raised:
        await ask("/networks/create", "/v1.51/networks/create", body)
    assert str(raised.value) == '"EnableIPv4" requires API version 1.48, which old lacks'


@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("1.51", {"Name": "old/web", "EnableIPv4": True}),
        ("1.51", {"Name": "old/web", "EnableIPv4": None}),
        ("1.47", {"Name": "old/web", "EnableIPv4": False}),
    ],
    ids=str,
)
async def test_a_plain_network_goes_to_any_engine(ask, version, body):
    exchange = await ask("/networks/create", f"/v{version}/networks/create", body)
    assert exchange.status == 201
    (old, _) = exchange.cluster.engines()
    assert [path for _, path, _ in old.asked] == ["/networks/create"]


def names(engines):
    return [engine.node.name for engine in engines]


@pytest.mark.parametrize(
    ("work", "query", "able"),
    [
        ("push", {}, ["old", "new"]),
        ("push", {"platform": "x"}, ["new"]),
        ("save", {"platform": "x"}, ["new"]),
        ("delete", {"platforms": "x"}, ["new"]),
    ],
    ids=lambda value: str(value),
)
def test_an_engine_that_would_ignore_a_parameter_is_not_asked(engine, work, query, able):
    engines = [engine("old", {}), engine("new", {}, (1, 51))]
    assert names(able_engines(engines, work, Query(query.items()))) == able


def test_work_on_all_holders_is_refused_when_one_would_ignore_a_parameter(engine):
    engines = [engine("old", {}), engine("new", {}, (1, 51))]
    with pytest.raises(
        BadRequest, match=r'"platforms" requires API version 1\.50, which old lacks'
    ):
        require_able(engines, "delete", Query({"platforms": "x"}.items()))
