"""Many concurrent clients: every name, and every port of a node, goes to exactly one of them."""

import collections
import http.client
import json
from concurrent.futures import ThreadPoolExecutor

CREATES = 300
NAMES = [f"wanted-{number}" for number in range(20)]
PORTS = [str(9100 + number) for number in range(5)]


def bodies():
    """Return 300 creates: 100 plain, 50 for 20 names, 50 for 5 ports, 100 plain, interleaved."""
    for number in range(CREATES):
        body = {"Image": "busybox", "Cmd": ["sleep", "600"], "Labels": {"race": "1"}}
        name, port = "", ""
        if number % 6 == 0:
            name = NAMES[number // 6 % len(NAMES)]
        elif number % 6 == 3:
            port = PORTS[number // 6 % len(PORTS)]
            body["ExposedPorts"] = {"80/tcp": {}}
            body["HostConfig"] = {"PortBindings": {"80/tcp": [{"HostPort": port}]}}
        yield name, port, body


def create(port_of_manager, name, body):
    connection = http.client.HTTPConnection("127.0.0.1", port_of_manager, timeout=100)
    try:
        query = f"?name={name}" if name else ""
        connection.request(
            "POST",
            f"/v1.41/containers/create{query}",
            json.dumps(body),
            {"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_300_creates_fighting_for_names_and_ports(fleet):
    wanted = list(bodies())
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda item: create(fleet.manager.port, item[0], item[2]), wanted))

    winners = collections.Counter()
    for (name, port, _), (status, answer) in zip(wanted, answers, strict=True):
        if status == 201:
            winners[name or port] += 1
        elif name:
            assert status == 409, answer
            assert f'"/{name}" is already in use' in answer["message"]
        elif port:
            assert status == 503, answer
            assert f"3 port {port}/tcp" in answer["message"]
        else:
            raise AssertionError(f"a plain create failed: {status} {answer}")

    assert all(winners[name] == 1 for name in NAMES)
    assert all(winners[port] == len(fleet.engines) for port in PORTS)
    assert winners[""] == CREATES - 2 * (CREATES // 6)

    held = collections.Counter()
    on_engines = {}
    for engine in fleet.engines:
        docker = fleet.direct(engine)
        ids = docker("ps", "-aq", "--no-trunc", "--filter", "label=race").split()
        for container in json.loads(docker("inspect", *ids)):
            on_engines[container["Id"]] = container["Name"]
            for bindings in (container["HostConfig"]["PortBindings"] or {}).values():
                held[engine, bindings[0]["HostPort"]] += 1
    assert set(held.values()) == {1}
    listed = fleet.manager.get("/v1.41/containers/json?all=1")
    assert {item["Id"]: item["Names"][0] for item in listed} == on_engines
    assert len(set(on_engines.values())) == len(on_engines)
