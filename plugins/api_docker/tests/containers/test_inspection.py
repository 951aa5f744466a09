"""A container's document: the engine's bytes with the node, and addresses that reach the node."""

import json

import pytest
from swarmcore_api_docker.containers.inspection import describe_node, show_container

from swarmcore.http.messages import Answer
from swarmcore.node import Node

ANY = [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}]
ONE = [{"HostIp": "10.0.0.1", "HostPort": "8080"}]
PORTS = {"80/tcp": ANY, "81/tcp": ONE, "82/tcp": None}
REACHABLE = {**PORTS, "80/tcp": [{"HostIp": "192.0.2.7", "HostPort": "8080"}]}
MANIFEST = {"ImageManifestDescriptor": {"digest": "sha256:1", "platform": {"os": "linux"}}}


@pytest.fixture
def node():
    node = Node("ID", "n1.example:2375")
    node.ip, node.name, node.labels = "192.0.2.7", "n1", {"zone": "ä"}
    return node


@pytest.fixture
def parsed(monkeypatch):
    """Record each document that is parsed and encoded as a whole."""
    parsed = []
    monkeypatch.setattr(Answer, "json", lambda self: parsed.append(1) or json.loads(self.body))
    return parsed


def write(value):
    """Encode JSON as Go does: compact, with some characters escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").encode()


def show(body, node):
    return show_container(Answer(200, (), body), node).body


def a_document(ports=PORTS, before=(), after=(), networks=()):
    return {
        "Id": "c1",
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}},
        "Config": {"Labels": {"a": '<é>,"NetworkSettings":{"Ports":{', "Ports": "x"}},
        "NetworkSettings": {"Bridge": "", **dict(before), "Ports": ports, **dict(networks)},
        **dict(after),
    }  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        a_document(),
        a_document(after=MANIFEST),
        a_document(networks={"Networks": {"Ports": {"Ports": {"80/tcp": []}}}}),
        a_document(ports={}),
        a_document(ports=None),
        {"Id": "c1", "NetworkSettings": {"Ports": {"80/tcp": ONE}}},
    ],
)
def test_all_but_ports_and_node_stays_as_the_engine_wrote_it(node, parsed, document):
    body = write(document)
    expected = body.replace(b'"Ports":' + write(PORTS), b'"Ports":' + write(REACHABLE))
    expected = expected[:-1] + b',"Node":' + write(describe_node(node)) + b"}\n"
    assert show(body + b"\n", node) == expected
    assert parsed == []


@pytest.mark.parametrize(
    "document",
    [
        a_document(before={"Odd": {"Ports": {"80/tcp": ANY}}}),
        a_document(networks={"a": {}, "NetworkSettings": {"Ports": {"80/tcp": ANY}}}),
        {"Inner": {"Id": "c1", **a_document()}},
        {"Inner": {"Id": "c1", **a_document(after=MANIFEST)}},
        {"Id": "0.0.0.0"},
        {"NetworkSettings": {"Ports": PORTS}},
        {"Id": "0.0.0.0", "NetworkSettings": None},
        {},
    ],
)
def test_a_document_of_another_shape_is_read_and_written(node, parsed, document):
    shown = json.loads(show(write(document), node))
    assert shown.pop("Node") == describe_node(node)
    if document.get("NetworkSettings"):
        document["NetworkSettings"]["Ports"] = REACHABLE
    assert shown == document
    assert parsed == [1]


def test_the_last_of_repeated_ports_counts(node):
    body = b'{"Id":"::","NetworkSettings":{"Ports":{"1/tcp":null},"Ports":{"2/tcp":null}}}'
    assert json.loads(show(body, node))["NetworkSettings"]["Ports"] == {"2/tcp": None}


@pytest.mark.parametrize("body", [b"", b"{", b'["0.0.0.0"]', b'{"Id":"0.0.0.0",', b'"::"}'])
def test_a_document_that_is_not_an_object_is_an_error(node, body):
    with pytest.raises((ValueError, AttributeError)):
        show(body, node)


def test_the_node_is_shown_as_it_is_now(node):
    first = show(b'{"Id":"c1"}', node)
    node.labels = {"zone": "b"}
    node.cpus = 16
    second = show(b'{"Id":"c1"}', node)
    assert json.loads(first)["Node"]["Labels"] != json.loads(second)["Node"]["Labels"]
    assert json.loads(second)["Node"] == describe_node(node)
