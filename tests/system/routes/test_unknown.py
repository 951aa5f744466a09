"""Unknown objects in a create get the engine's errors, from the same request.

Each of three releases is asked directly, and through the manager with a constraint.
"""

import itertools
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.docker

NODES = ("old", "middle", "new")


def host(**fields: Any) -> dict[str, Any]:
    return {"HostConfig": fields}


def endpoint(network: str, **fields: Any) -> dict[str, Any]:
    return {"NetworkingConfig": {"EndpointsConfig": {network: fields}}}


def mount(kind: str, **fields: Any) -> dict[str, Any]:
    return host(Mounts=[{"Type": kind, "Source": "ghost", "Target": "/d", **fields}])


#: What the manager looks for, and what names something of the kind that there is not.
SOUGHT: dict[str, dict[str, Any]] = {
    "image": {"Image": "ghost"},
    "digest": {"Image": f"busybox@sha256:{'0' * 64}"},
    "platform": {"platform": "linux/s390x"},
    "system": {"platform": "windows/amd64"},
    "network": host(NetworkMode="ghost"),
    "network of a node": host(NetworkMode="nowhere/ghost"),
    "network id": host(NetworkMode="0" * 64),
    "endpoint": endpoint("ghost"),
    "link of an endpoint": endpoint("bridge", Links=["ghost:g"]),
    "volumes from": host(VolumesFrom=["ghost:ro"]),
    "volumes from an id": host(VolumesFrom=["0" * 64]),
    "link": host(Links=["ghost:g"]),
    "network of": host(NetworkMode="container:ghost"),
    "processes of": host(PidMode="container:ghost"),
    "ipc of": host(IpcMode="container:ghost"),
    "volume": host(Binds=["{name}:/d"]),
}
#: What is left to the engine.
LEFT: dict[str, dict[str, Any]] = {
    "driver of a volume": mount("volume", VolumeOptions={"DriverConfig": {"Name": "ghost"}}),
    "path": mount("bind", Source="/ghost"),
    "log driver": host(LogConfig={"Type": "ghost"}),
    "runtime": host(Runtime="ghost"),
    "device": host(Devices=[{"PathOnHost": "/dev/ghost", "PathInContainer": "/dev/ghost"}]),
    "seccomp profile": host(SecurityOpt=["seccomp=ghost"]),
    "user": {"User": "ghost"},
}
UNKNOWN = SOUGHT | LEFT


class Told(NamedTuple):
    """Status and text of the create, and of the start if there was one."""

    create: tuple[int, str]
    start: tuple[int, str] = (0, "")


@pytest.fixture
def tell(shared_fleet, raw_ask):
    """Create a container with unknown objects at one engine, directly or through the manager."""
    numbers = itertools.count()

    def tell(node: str, names: tuple[str, ...], *, through: bool) -> Told:
        body: dict[str, Any] = {"Image": "busybox", "Cmd": ["true"]}
        for name in names:
            for key, value in UNKNOWN[name].items():
                known = body.get(key)
                body[key] = {**known, **value} if isinstance(known, dict) else value
        name = f"unknown-{next(numbers)}"
        body = json.loads(json.dumps(body).replace("{name}", name))
        query = f"name={name}&platform={body.pop('platform', '')}"
        address = shared_fleet.engines[node].address
        if through:
            address = f"127.0.0.1:{shared_fleet.manager.port}"
            body["Labels"] = {"com.docker.swarm.constraints": json.dumps([f"node=={node}"])}

        def ask(method: str, path: str, sent: Any = None) -> tuple[int, str]:
            reply = raw_ask(address, method, f"/v1.41{path}", sent)
            return reply.status, reply.message.replace(name, "NAME") if reply.status >= 400 else ""

        told = Told(ask("POST", f"/containers/create?{query}", body))
        if told.create[0] == 201:
            told = told._replace(start=ask("POST", f"/containers/{name}/start"))
            assert ask("DELETE", f"/containers/{name}?force=1&v=1")[0] == 204
            ask("DELETE", f"/volumes/{name}")
        return told

    return tell


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("name", SOUGHT)
def test_an_unknown_object_has_the_engines_error(tell, name, node):
    assert tell(node, (name,), through=True) == tell(node, (name,), through=False)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(sorted(UNKNOWN)), min_size=2, max_size=4, unique=True),
    st.sampled_from(NODES),
)
def test_several_unknown_objects_have_the_engines_error(tell, names, node):
    told = tell(node, tuple(names), through=True)
    assert told == tell(node, tuple(names), through=False)


@pytest.mark.parametrize("name", ["network", "volumes from", "link", "network of", "platform"])
def test_without_a_constraint_any_engine_answers(shared_fleet, raw_ask, name):
    fields = dict(UNKNOWN[name])
    query = f"name=unknown&platform={fields.pop('platform', '')}"
    body = {"Image": "busybox", "Cmd": ["true"], **fields}

    def tell(address: str) -> list[int]:
        told = [raw_ask(address, "POST", f"/v1.41/containers/create?{query}", body).status]
        if told == [201]:
            told.append(raw_ask(address, "POST", "/v1.41/containers/unknown/start").status)
            raw_ask(address, "DELETE", "/v1.41/containers/unknown?force=1")
        return told

    oracle = [tell(engine.address) for engine in shared_fleet.engines.values()]
    assert tell(f"127.0.0.1:{shared_fleet.manager.port}") in oracle


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{}", b"{", b"[]"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", None])
def test_a_volume_without_a_body_is_answered_as_by_the_oldest_engine(
    shared_fleet, raw_ask, body, kind
):
    """The manager announces the version of that engine."""

    def status(address: str) -> int:
        headers = {"Content-Type": kind} if kind else {}
        reply = raw_ask(address, "POST", "/v1.41/volumes/create", body, headers)
        if reply.status == 201:
            raw_ask(address, "DELETE", f"/v1.41/volumes/{reply.json['Name']}")
        return int(reply.status)

    manager = f"127.0.0.1:{shared_fleet.manager.port}"
    assert status(manager) == status(shared_fleet.engines["old"].address)
