"""JSON bodies with small errors, at every route that reads JSON."""

import copy
import json

import pytest
from hypothesis import strategies as st

CREATE = {
    "Image": "busybox", "Cmd": ["sleep", "1"], "Env": ["A=b", "constraint:node==n1"], "Tty": False,
    "Labels": {"a": "b", "com.docker.swarm.affinities": '["container!=x"]'}, "Hostname": "h",
    "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/v": {}}, "Entrypoint": ["x"], "StopTimeout": 1,
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000000},
    "HostConfig": {
        "Memory": 1048576, "MemoryReservation": 0, "NanoCpus": 1000, "CpuShares": 2, "CpuQuota": 5,
        "CpuPeriod": 100000, "CpusetCpus": "0-1", "NetworkMode": "bridge", "IpcMode": "",
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080-8090"}]}, "PidMode": "host",
        "Binds": ["data:/d:ro"], "VolumesFrom": ["box:ro"], "Links": ["box:b"], "AutoRemove": True,
        "Mounts": [{"Type": "volume", "Source": "data", "Target": "/m"}], "Privileged": False,
        "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}, "PublishAllPorts": True,
        "DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}, "Tmpfs": {"/t": ""},
        "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}], "Sysctls": {"a": "1"},
    },
    "NetworkingConfig": {"EndpointsConfig": {"net": {"Aliases": ["x"], "IPAMConfig": {}}}},
}  # fmt: skip
NETWORK = {
    "Name": "made", "Driver": "bridge", "CheckDuplicate": True, "Internal": False, "Scope": "local",
    "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/16", "Gateway": "10.9.0.1"}]},
    "Options": {"a": "b"}, "Labels": {"a": "b"}, "EnableIPv6": False, "Attachable": True,
}  # fmt: skip
DOCUMENTS = {
    "/containers/create": CREATE,
    "/containers/create?name=made": CREATE,
    "/containers/box/exec": {
        "Cmd": ["true"], "AttachStdout": True, "Env": ["A=b"], "Tty": False, "User": "0",
        "WorkingDir": "/", "Privileged": False, "DetachKeys": "ctrl-p",
    },
    "/containers/box/update": {
        "Memory": 1048576, "NanoCpus": 1, "CpuShares": 1, "RestartPolicy": {"Name": "no"},
    },
    "/networks/create": NETWORK,
    "/networks/net/connect": {"Container": "box", "EndpointConfig": {"Aliases": ["a"]}},
    "/networks/net/disconnect": {"Container": "box", "Force": True},
    "/volumes/create": {
        "Name": "made", "Driver": "local", "DriverOpts": {"a": "b"}, "Labels": {"a": "b"},
    },
    "/auth": {"username": "u", "password": "p", "serveraddress": "127.0.0.1:1"},
    "/commit?container=box": {"Labels": {"a": "b"}, "Env": ["A=b"], "Cmd": ["x"]},
}  # fmt: skip
VALUES = [
    None, True, False, 0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 0.5, 1e308, -0.0, "",
    "x",
    "/", "\0", "\ud800", "\U0001f600", "a" * 5000, "constraint:node==", "constraint:(((", "1h", [],
    {}, [None],
    [[]], [{}], {"": None}, {"x": {"x": {"x": []}}}, ["x"] * 300, "container:box", "host", "none",
    "constraint:node==~n.*", "affinity:container==ghost", "n1/box", "80", "65536", "0-99999",
    "80/sctp",
]  # fmt: skip
#: Not JSON, or none that anybody should read.
TEXTS = [
    b"", b"{", b"null", b"[]", b'"x"', b"1", b"{}", b"{}{}", b"\xff\xfe{}", b"NaN",
    b'{"Image": NaN}',
    b'{"Memory": 1e999}', b"[" * 50_000, b'{"a":' * 5_000, b'{"Image": "\xff"}', b"\xef\xbb\xbf{}",
    b'{"Image": "busybox", "image": "x"}', b'{"HostConfig": ' + b"9" * 5_000 + b"}", b"{\0}",
]  # fmt: skip
TYPES = ["application/json"] * 12 + ["application/json; charset=utf-8", "text/plain", "", "\xff"]


def places(value, found):
    """Yield every object or list in *value*, with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, dict | list):
            places(inner, found)
    return found


@st.composite
def bodies(draw):
    """Generate a path that reads JSON, and bytes for it."""
    path = draw(st.sampled_from(sorted(DOCUMENTS)))
    if draw(st.integers(0, 11)) == 0:
        return path, draw(st.sampled_from(TEXTS))
    document = copy.deepcopy(DOCUMENTS[path])
    for _ in range(draw(st.integers(0, 3))):
        if not (found := places(document, [])):
            break
        at, key = draw(st.sampled_from(found))
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        match draw(st.sampled_from(["put", "put", "put", "drop", "add", "rename"])):
            case "put":
                at[key] = value
            case "drop":
                del at[key]
            case "add" if isinstance(at, dict):
                at[draw(st.text(max_size=5))] = value
            case "rename" if isinstance(at, dict):
                at[key.swapcase()] = at.pop(key)
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 9)) == 0:  # an object that says the same thing twice
        at = draw(st.sampled_from([i for i, sign in enumerate(text) if sign == "{"] or [0]))
        text = f'{text[: at + 1]}"Image": "x", "Memory": 5, {text[at + 1 :]}'
    if draw(st.integers(0, 19)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    return path, text.encode(errors="surrogatepass")


@pytest.mark.timeout(900)
def test_every_body_is_answered_and_in_full(target, fuzz):
    seen = set()

    def ask(sent, kind):
        if target.cases % 40 == 0:
            target.revive()
        path, body = sent
        status, _ = target.ask("POST", path, body, [f"Content-Type: {kind}"])
        seen.add(status)

    fuzz(4000, ask, bodies(), st.sampled_from(TYPES))
    assert {200, 201, 400, 404, 409} <= seen
