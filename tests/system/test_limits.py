"""The limits of one request: each has its status, and other requests are answered meanwhile."""

import http.client
import json
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.docker

JSON = {"Content-Type": "application/json"}
PATTERN = "/^(web|db)-[0-9]+$/"


def create(**body):
    return "POST", "/v1.41/containers/create", {"Image": "busybox", **body}


def host(**config):
    return create(HostConfig=config)


def filtered(path, **filters):
    return "GET", f"{path}?filters={quote(json.dumps(filters))}", None


TOO_MUCH = {
    "filter values": filtered("/containers/json", name=[str(n) for n in range(1001)]),
    "filter values of a prune": (
        "POST",
        f"/networks/prune?filters={quote(json.dumps({'label': [str(n) for n in range(1001)]}))}",
        None,
    ),
    "patterns of 'name'": filtered("/containers/json", name=[f"^{n}$" for n in range(101)]),
    "patterns of 'id'": filtered("/networks", id=[f"^{n}$" for n in range(101)]),
    "patterns of 'reference'": filtered("/images/json", reference=[f"{n}*" for n in range(101)]),
    "pattern too large": filtered("/volumes", name=["(.{0,31}){0,31}x"]),
    "query parameters": ("GET", "/containers/json?" + "a&" * 1000, None),
    "constraints, affinities and whitelists": create(
        Env=[f"affinity:container!=a{n}" for n in range(65)]
    ),
    "patterns in expressions": create(
        Labels={"com.docker.swarm.affinities": json.dumps([f"container!={PATTERN}"] * 9)}
    ),
    "binds and mounts": host(Binds=[f"/tmp:/x{n}" for n in range(1001)]),
    "volumes, networks, containers and images": host(
        Mounts=[{"Type": "volume", "Source": f"v{n}", "Target": f"/x{n}"} for n in range(101)]
    ),
    "binds of volumes": host(Binds=[f"v{n}:/x{n}" for n in range(150_000)]),
    "links": host(Links=[f"web{n}" for n in range(101)]),
    "entries of one list or object": create(Labels={str(n): "" for n in range(12_001)}),
    "values": create(**{f"X{k}": list(range(12_000)) for k in range(17)}),
    "bytes of labels": create(Labels={"a": "x" * 524_288}),
    "bytes of a network's labels": (
        "POST",
        "/networks/create",
        {"Name": "net", "Labels": {"a": "x" * 524_288}},
    ),
    "bytes of a volume's labels": ("POST", "/volumes/create", {"labels": {"a": "x" * 524_288}}),
    "entries of a network": (
        "POST",
        "/networks/create",
        {"Name": "net", "Labels": {str(n): "" for n in range(12_001)}},
    ),
}
ALLOWED = {
    "filters": filtered("/containers/json", name=[f"^{n}$" for n in range(100)]),
    "ids": filtered("/containers/json", id=[f"{n:064x}" for n in range(1000)]),
    "expressions": create(
        Env=[f"affinity:container!=a{n}" for n in range(56)]
        + [f"affinity:container!={PATTERN}"] * 8
    ),
    "binds": host(Binds=[f"/tmp:/x{n}" for n in range(900)]),
    "labels": create(Labels={str(n): "" for n in range(2_000)}),
    "bytes of labels": create(Labels={"a": "x" * 500_000}),
    "ports of a media server": host(
        PortBindings={f"{n}/udp": [{"HostPort": str(n)}] for n in range(10_000, 20_001)}
    ),
}


@pytest.fixture
def ask(fleet):
    """Send a request to the manager; return status and JSON."""

    def ask(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", fleet.manager.port, timeout=120)
        connection.request(method, path, data, JSON if data else {})
        answer = connection.getresponse()
        read = json.load(answer)
        connection.close()
        return answer.status, read

    return ask


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_request_above_a_limit_is_refused_and_names_the_limit(ask, what):
    status, told = ask(*TOO_MUCH[what])
    assert status == 400, told
    assert "at most" in told["message"] or "too large" in told["message"]
    assert ask("GET", "/version")[0] == 200


@pytest.mark.parametrize("what", ALLOWED)
def test_a_request_at_a_limit_is_answered(ask, what):
    status, told = ask(*ALLOWED[what])
    assert status in (200, 201), told


def test_a_body_that_is_too_large_is_refused(ask):
    status, told = ask(*create(Env=["x" * 5_000_000]))
    assert (status, "larger than 4194304 bytes" in told["message"]) == (413, True)
