"""``docker ps``: which containers, in which order, with which fields."""

import json
import re

import pytest
import trio
from swarmcore_api_docker.containers.filters import FilterContext
from swarmcore_api_docker.containers.listing import parse_list_query, select
from swarmcore_api_docker.containers.ports import show_summary_ports
from swarmcore_api_docker.containers.summary import (
    NODE_LABEL,
    SummaryEncoder,
    add_sizes,
    show_names,
)

from swarmcore.errors import BadRequest, NotFound
from swarmcore.go_formats import BadValue
from swarmcore.http.messages import Query
from swarmcore.model import State

PORT = {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}
BASE, CHILD = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def nodes(docker):
    """Return two nodes; ``web`` and ``db`` run, the other containers do not."""
    age = docker.now
    web = docker.container("web", created=age - 10, ports=[PORT], labels={"app": "shop", "x": ""})
    old = docker.container("old", created=age - 40, state="exited", image_id=CHILD)
    db = docker.container(
        "db", created=age - 20, names=("db", "web/sql"), state="paused",
        detail={
            "Mounts": [{"Type": "volume", "Name": "data", "Destination": "/var/lib"}],
            "State": {"Running": True, "Health": {"Status": "healthy"}},
            "NetworkSettings": {"Networks": {"back": {"NetworkID": "abc123"}}},
        },
    )  # fmt: skip
    new = docker.container("new", created=age - 5, state="created", labels={
        "com.docker.swarm.task": "t"})  # fmt: skip
    images = {
        BASE: {"Id": BASE, "RepoTags": ["busybox:latest"], "ParentId": ""},
        CHILD: {"Id": CHILD, "RepoTags": ["tool:1"], "ParentId": BASE},
    }
    return [
        docker.node("n1", "10.0.0.1", web, old, images=images),
        docker.node("n10", "10.0.0.10", db, new, images=images),
    ]


def context(nodes):
    def find(text):
        for node in nodes:
            for container in node.containers.values():
                if text == container.name:
                    return container
        raise NotFound(text)

    return FilterContext(find, nodes)


def listed(nodes, text="", **filters):
    query = Query.parse(text)
    if filters:
        query = query.replace(
            filters=json.dumps({k.replace("_", "-"): v for k, v in filters.items()})
        )

    async def select_all():
        return await select(nodes, await parse_list_query(query, context(nodes)))

    return [container.name for container, _ in trio.run(select_all)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["web", "db"]),
        ("all=1", ["new", "web", "db", "old"]),
        ("all=False", ["web", "db"]),
        ("limit=3", ["new", "web", "db"]),
        ("limit=-1", ["web", "db"]),
        ("all=1&limit=1", ["new"]),
        ("all=1&before=web", ["db", "old"]),
        ("all=1&since=db", ["new", "web"]),
        ("filters=", ["web", "db"]),
    ],
)
def test_the_newest_come_first_and_stopped_ones_on_request(nodes, query, names):
    assert listed(nodes, query) == names


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": ["eb"]}, ["web", "db"]),  # db's link alias is web/sql
        ({"name": ["^web$"]}, ["web"]),
        ({"name": ["^/web$"]}, ["web"]),
        ({"name": ["web", "old"]}, ["web", "db", "old"]),
        ({"name": ["("]}, []),
        ({"name": ["^(w+)+$"]}, []),
        ({"id": [b"web".hex()]}, ["web"]),
        ({"id": ["^" + b"web".hex()]}, []),
        ({"id": [""]}, []),
        ({"id": {b"web".hex(): False}}, ["web"]),
        ({"label": ["app"]}, ["web"]),
        ({"label": ["app=shop", "x="]}, ["web"]),
        ({"label": ["app=shop", "y"]}, []),
        ({"label": ["app=other"]}, []),
        ({"label": [f"{NODE_LABEL}=n10"]}, ["new", "db"]),
        ({"label": {"app": True}}, ["web"]),
        ({"status": ["running"]}, ["web"]),
        ({"status": ["exited", "created"]}, ["new", "old"]),
        ({"status": {"exited": False}}, ["old"]),
        ({"health": ["healthy"]}, ["db"]),
        ({"health": ["none"]}, ["new", "web", "old"]),
        ({"health": {"none": False}}, []),
        ({"exited": ["0"]}, ["old"]),
        ({"exited": ["7"]}, []),
        ({"volume": ["data"]}, ["db"]),
        ({"volume": ["/var/lib"]}, ["db"]),
        ({"network": ["back"]}, ["db"]),
        ({"network": ["abc"]}, ["db"]),
        ({"network": ["bbbb"]}, ["new", "web", "old"]),
        ({"publish": ["8080"]}, ["web"]),
        ({"publish": ["8000-9000/tcp"]}, ["web"]),
        ({"publish": ["8080/udp"]}, []),
        ({"publish": ["80"]}, []),
        ({"expose": ["80/tcp"]}, ["web"]),
        ({"ancestor": ["busybox"]}, ["new", "web", "db", "old"]),
        ({"ancestor": ["docker.io/library/busybox:latest"]}, ["new", "web", "db", "old"]),
        ({"ancestor": ["tool:1"]}, ["old"]),
        ({"ancestor": ["22222"]}, ["old"]),
        ({"ancestor": ["nothing"]}, []),
        ({"ancestor": []}, []),
        ({"volume": []}, []),
        ({"network": []}, []),
        ({"network": [""]}, ["new", "web", "db", "old"]),
        ({"label": {"app=other": False}}, []),
        ({"label": None}, ["new", "web", "db", "old"]),
        ({"node": ["n1"]}, ["web", "old"]),
        ({"node": ["n"]}, ["new", "web", "db", "old"]),
        ({"is_task": ["true"]}, ["new"]),
        ({"is_task": ["false"]}, ["web", "db", "old"]),
        ({"isolation": ["hyperv"]}, ["new", "web", "db", "old"]),
        ({"before": ["web"], "since": ["old"]}, ["db"]),
        ({"name": ["web"], "node": ["n10"]}, ["db"]),
        ({"name": []}, ["new", "web", "db", "old"]),
    ],
    ids=str,
)
def test_filters(nodes, filters, names):
    assert listed(nodes, "all=1", **filters) == names


def test_a_status_filter_alone_lists_stopped_containers_too(nodes):
    assert listed(nodes, status=["exited"]) == ["old"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"colour": ["red"]}, "invalid filter 'colour'"),
        ({"status": ["gone"]}, "invalid filter 'status=gone'"),
        ({"health": ["well"]}, "invalid filter 'health=well'"),
        ({"exited": ["x"]}, "invalid filter 'exited=x'"),
        ({"is_task": ["perhaps"]}, "invalid filter 'is-task=[perhaps]'"),
        ({"is_task": {"true": False}}, "invalid filter 'is-task=[true]'"),
        ({"is_task": []}, "invalid filter 'is-task'"),
        ({"name": ["(.{0,31}){0,31}x"]}, "pattern too large"),
        ({"name": [f"{i}." for i in range(101)]}, "101 patterns of 'name' in one request"),
    ],
    ids=str,
)
def test_an_invalid_filter_is_refused(nodes, filters, message):
    with pytest.raises(BadRequest, match=re.escape(message)):
        listed(nodes, **filters)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("99999", 'strconv.ParseUint: parsing "99999": value out of range'),
        ("http", 'strconv.ParseUint: parsing "http": invalid syntax'),
        ("8-", 'strconv.ParseUint: parsing "": invalid syntax'),
        ("/tcp", "Empty string specified for ports."),
        ("9-8", "Invalid range specified for the Port: 9-8"),
    ],
)
def test_an_invalid_port_is_refused_as_by_an_engine(nodes, value, message):
    with pytest.raises(BadValue, match=f"^error while looking up for expose {value}: {message}$"):
        listed(nodes, expose=[value])


@pytest.mark.parametrize("limit", ["few", " 1", "1_0", "9" * 20, "-" + "9" * 5000])
def test_a_malformed_limit_is_refused_as_by_an_engine(nodes, limit):
    with pytest.raises(BadValue, match=r"^strconv\.Atoi: parsing "):
        listed(nodes, f"limit={limit}")


def test_an_unknown_container_in_before_or_since_is_not_found(nodes):
    with pytest.raises(NotFound):
        listed(nodes, before=["ghost"])


def test_containers_of_a_node_that_is_down_are_listed_only_with_all(nodes, docker):
    nodes[0].state = State.UNHEALTHY
    assert listed(nodes) == ["db"]
    assert listed(nodes, "all=1") == ["new", "web", "db", "old"]
    shown = show(docker, nodes[0], "web")
    assert shown["Status"] == "Host Down"


def show(docker, node, name, names="plain", now=None):
    container = next(each for each in node.containers.values() if each.name == name)
    return json.loads(SummaryEncoder(names).encode(container, node, now or docker.now))


def test_an_object_is_the_engines_with_names_ports_status_and_label(nodes, docker):
    shown = show(docker, nodes[0], "web")
    assert shown == {
        **next(iter(nodes[0].containers.values())).summary,
        "Names": ["/web"],
        "Labels": {"app": "shop", "x": "", NODE_LABEL: "n1"},
        "Ports": [{**PORT, "IP": "10.0.0.1"}],
        "State": "running",
        "Status": "Up 3 minutes",
    }


def test_an_encoded_object_changes_with_time_and_with_its_node(docker):
    container = docker.container("web")
    node, fragments = docker.node("n1", "10.0.0.1", container), SummaryEncoder("plain")

    def status(later):
        return json.loads(fragments.encode(container, node, docker.now + later))["Status"]

    assert [status(0), status(59), status(60)] == ["Up 3 minutes", "Up 3 minutes", "Up 4 minutes"]
    node.state = State.UNHEALTHY
    assert status(61) == "Host Down"
    node.state, node.name = State.HEALTHY, "renamed"
    shown = json.loads(fragments.encode(container, node, docker.now + 62))
    assert (shown["Status"], shown["Labels"][NODE_LABEL]) == ("Up 4 minutes", "renamed")


@pytest.mark.parametrize(
    ("style", "names"),
    [
        ("plain", ["/db", "/web/sql"]),
        ("classic", ["/n1/db", "/n1/web/sql"]),
        ("both", ["/n1/db", "/n1/web/sql", "/db", "/web/sql"]),
    ],
)
def test_name_styles(style, names):
    assert show_names(("db", "web/sql"), "n1", style) == names


def test_one_port_of_both_address_families_is_shown_once():
    six = {**PORT, "IP": "::"}
    assert show_summary_ports([PORT, six], "10.0.0.1") == [{**PORT, "IP": "10.0.0.1"}]
    assert show_summary_ports([PORT, six], "") == [PORT, six]
    assert show_summary_ports([{"PrivatePort": 80, "Type": "tcp"}], "10.0.0.1") == [
        {"PrivatePort": 80, "Type": "tcp"}
    ]
    assert show_summary_ports(None, "10.0.0.1") == []


def test_sizes_are_added_where_the_engine_gave_them():
    assert json.loads(add_sizes(b'{"Id":"a"}', {"SizeRootFs": 5})) == {"Id": "a", "SizeRootFs": 5}
    assert add_sizes(b'{"Id":"a"}', {}) == b'{"Id":"a"}'
