"""Lists of networks, their names, and the network that a text means."""

import pytest
import trio
from swarmcore_api_docker.networks.find import find_network, is_taken
from swarmcore_api_docker.networks.inspection import merge_inspections
from swarmcore_api_docker.networks.listing import list_networks

from swarmcore.errors import BadRequest, NotFound
from swarmcore.go_formats import BadValue
from swarmcore.list_filters import Filters
from swarmcore.testing.builders import a_container, a_node

SPANNING = {"Id": "swarm1", "Name": "mesh", "Driver": "overlay", "Scope": "swarm", "Labels": None}


def with_mesh(node):
    node.networks = {**node.networks, "swarm1": SPANNING}
    return node


@pytest.fixture
def nodes():
    n1 = with_mesh(a_node("n1", networks=["web", "same"]))
    n2 = with_mesh(a_node("n2", networks=["same"]))
    return [n1, n2]


def id_of(node, name):
    return next(id for id, network in node.networks.items() if network["Name"] == name)


def shown(nodes, **filters):
    return sorted(item["Name"] for item in trio.run(list_networks, nodes, Filters.of(filters)))


def test_an_unambiguous_name_is_shown_without_node(nodes):
    assert shown(nodes, type=["custom"]) == ["mesh", "n1/same", "n2/same", "web"]
    assert shown(nodes[:1], type=["custom"]) == ["mesh", "same", "web"]
    assert shown(nodes[:1], type=["builtin"]) == ["bridge", "host", "none"]


def test_a_silent_node_hides_its_networks_and_keeps_their_names(nodes):
    nodes[1].failures = nodes[1].failure_limit
    assert shown(nodes, type=["custom"]) == ["mesh", "n1/same", "web"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": ["we"]}, ["web"]),
        ({"name": ["^n1/same$"]}, ["n1/same"]),
        ({"name": ["^same$"]}, ["n1/same", "n2/same"]),
        ({"name": ["web", "mesh"]}, ["mesh", "web"]),
        ({"id": ["swarm1"]}, ["mesh"]),
        ({"driver": ["overlay"]}, ["mesh"]),
        ({"driver": ["over"]}, []),
        ({"driver": ["null"], "node": ["n1"]}, ["n1/none"]),
        ({"scope": ["swarm"]}, ["mesh"]),
        ({"label": ["a"]}, []),
        ({"node": ["n2"], "type": ["custom"]}, ["mesh", "n2/same"]),
        ({"node": ["n3"]}, []),
        ({"dangling": ["true"]}, ["mesh", "n1/same", "n2/same", "web"]),
        ({"dangling": ["0"], "node": ["n1"], "name": ["bridge"]}, ["n1/bridge"]),
        ({"name": [], "scope": ["swarm"]}, ["mesh"]),
        ({"type": []}, []),
        (
            {"driver": []},
            [
                "mesh",
                "n1/bridge",
                "n1/host",
                "n1/none",
                "n1/same",
                "n2/bridge",
                "n2/host",
                "n2/none",
                "n2/same",
                "web",
            ],
        ),
    ],
    ids=str,
)
def test_filters(nodes, filters, names):
    assert shown(nodes, **filters) == names


@pytest.mark.parametrize("running", [True, False])
def test_only_a_running_container_uses_a_network(nodes, running):
    container = a_container("web", state="running" if running else "exited", node=nodes[0])
    endpoint = {"NetworkID": id_of(nodes[0], "web")}
    container.detail["NetworkSettings"]["Networks"] = {"web": endpoint, "none": None}
    assert ("web" in shown(nodes, dangling=["false"])) is running


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        ({"colour": ["red"]}, "invalid filter 'colour'"),
        ({"dangling": ["perhaps"]}, "invalid value for filter 'dangling'"),
        ({"dangling": ["true", "1"]}, 'got more than one value for filter key "dangling"'),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_filters(nodes, filters, text):
    with pytest.raises(BadRequest, match=text):
        trio.run(list_networks, nodes, Filters.of(filters))


def test_an_invalid_type_has_status_500_as_on_an_engine(nodes):
    with pytest.raises(BadValue, match="invalid filter: 'type'='odd'"):
        shown(nodes, type=["custom", "odd"])


def test_a_network_is_found_in_the_order_of_the_rules(nodes):
    n1, n2 = nodes
    web = id_of(n1, "web")
    for text in ("web", "n1/web", f"{n1.id}/web", web, web[:12]):
        assert find_network(nodes, text).id == web
    assert find_network(nodes, "n2/same").id == id_of(n2, "same")
    assert [node.name for node in find_network(nodes, "mesh").nodes] == ["n1", "n2"]
    for text in ("", "ghost", "n2/web"):
        with pytest.raises(NotFound, match=f"network {text} not found"):
            find_network(nodes, text)
    with pytest.raises(BadRequest, match=r"same is ambiguous .*: write n1/same or n2/same"):
        find_network(nodes, "same")


def test_a_predefined_name_means_the_network_of_the_first_node_that_answers(nodes):
    assert find_network(nodes, "bridge").id == id_of(nodes[0], "bridge")
    nodes[0].failures = nodes[0].failure_limit
    assert find_network(nodes, "bridge").id == id_of(nodes[1], "bridge")


def test_a_name_is_taken_by_any_node_except_predefined_names(nodes):
    assert is_taken(nodes, "web")
    assert not is_taken(nodes[1:], "web")
    assert not is_taken(nodes, "bridge")


def test_documents_of_one_network_are_merged():
    documents = [{"Id": "x", "Containers": {"a": 1}}, {"Id": "x", "Containers": None}]
    documents.append({"Id": "x", "Containers": {"b": 2}})
    assert merge_inspections(documents) == {"Id": "x", "Containers": {"a": 1, "b": 2}}


def endpoint(id, name):
    return {"Name": name, "EndpointID": id, "IPv4Address": "10.0.0.2/24"}


def test_endpoints_of_other_engines_of_a_store_get_their_own_engines_names():
    first = {"Id": "x", "Containers": {"c1": endpoint("e1", "web"), "ep-e2": endpoint("e2", "db"),
                                       "ep-e3": endpoint("e3", "lost")}}  # fmt: skip
    second = {"Id": "x", "Containers": {"ep-e1": endpoint("e1", "web"), "c2": endpoint("e2", "db"),
                                        "ep-e3": endpoint("e3", "lost")}}  # fmt: skip
    assert set(merge_inspections([first, second])["Containers"]) == {"c1", "c2", "ep-e3"}


def test_a_member_of_a_swarm_that_no_container_uses_shows_no_endpoint_of_its_own():
    balancer = {"lb-mesh": endpoint("e9", "mesh-endpoint")}
    first, second = ({"Name": f"p{n}", "IP": f"10.0.0.{n}"} for n in (1, 2))
    manager = {"Id": "x", "Containers": None, "Peers": [first]}
    endpoints = {"c1": endpoint("e1", "web"), **balancer}
    used = {"Id": "x", "Containers": endpoints, "Peers": [first, second]}
    left = {"Id": "x", "Containers": balancer}
    merged = merge_inspections([manager, left, used])
    assert set(merged["Containers"]) == {"c1", "lb-mesh"}
    assert [peer["Name"] for peer in merged["Peers"]] == ["p1", "p2"]
    assert merge_inspections([manager, left])["Containers"] == {}


def test_services_of_all_engines_are_shown():
    told = [{"Id": "x", "Services": {"web": {"VIP": "1"}}}, {"Id": "x"},
            {"Id": "x", "Services": {"db": {"VIP": "2"}, "web": {"VIP": "3"}}}]  # fmt: skip
    assert merge_inspections(told)["Services"] == {"web": {"VIP": "1"}, "db": {"VIP": "2"}}


def test_a_network_of_a_swarm_is_shown_as_a_swarm_manager_has_it(nodes):
    told = {**SPANNING, "Labels": {"tier": "front"}}
    nodes[1].info = {**nodes[1].info, "Swarm": {"ControlAvailable": True}}
    nodes[1].networks = {**nodes[1].networks, "swarm1": told}
    assert find_network(nodes, "mesh").document == told
    assert shown(nodes, label=["tier=front"]) == ["mesh"]


def test_networks_of_two_swarms_with_one_name_are_told_apart(nodes):
    other = {**SPANNING, "Id": "swarm2"}
    n3 = a_node("n3")
    n3.networks = {**n3.networks, "swarm2": other}
    assert shown([*nodes, n3], scope=["swarm"]) == ["n1/mesh", "n3/mesh"]
