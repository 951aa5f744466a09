"""The requests of the clients of a conversation."""

import itertools
import json
import os
from collections.abc import Iterator, Sequence
from time import perf_counter

from benchmarks.load.conversation import Script
from benchmarks.load.messages import Answer, ask, connect, read_head, request

_NUMBERS = itertools.count()
_API = "/v1.41"
#: The main fields that ``docker run -d --memory 64m -e ... busybox sleep 100000`` sends.
CREATE_BODY = json.dumps(
    {
        "Hostname": "",
        "Domainname": "",
        "User": "",
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "Tty": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "Env": ["constraint:ostype==linux", "MODE=production"],
        "Cmd": ["sleep", "100000"],
        "Image": "busybox:latest",
        "Volumes": {},
        "WorkingDir": "",
        "Entrypoint": None,
        "OnBuild": None,
        "Labels": {"com.example.team": "platform"},
        "HostConfig": {
            "Binds": None,
            "ContainerIDFile": "",
            "LogConfig": {"Type": "", "Config": {}},
            "NetworkMode": "default",
            "PortBindings": {},
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "AutoRemove": False,
            "Memory": 64 << 20,
            "CpuShares": 0,
            "Devices": [],
            "ShmSize": 0,
        },
        "NetworkingConfig": {"EndpointsConfig": {}},
    }
).encode()


def repeat(requests: Sequence[bytes], ends: float) -> Script:
    """Send *requests* in turn until *ends* (of ``perf_counter``), at least one."""
    for data in itertools.cycle(requests):
        yield data, "all"
        if perf_counter() >= ends:
            return


def live(ends: float) -> Script:
    """Create, start and remove containers until *ends*; at least one."""
    while True:
        began = perf_counter()
        name = f"life-{os.getpid()}-{next(_NUMBERS)}"
        create = request("POST", f"{_API}/containers/create?name={name}", CREATE_BODY)
        id = id_of((yield create, "create"))
        yield request("POST", f"{_API}/containers/{id}/start"), "start"
        yield request("DELETE", f"{_API}/containers/{id}?force=1"), "remove"
        if perf_counter() >= ends or began >= ends:
            return


def id_of(answer: Answer) -> str:
    """Return the id in the answer to a create."""
    _, _, rest = answer.data.partition(b'"Id":"')
    return rest[:64].decode()


def register(ends: float, token: str, first: int) -> Script:
    """Register a thousand engines at a hub, repeatedly like heartbeats, until *ends*."""
    target = f"/v1/clusters/{token}?ttl=180"
    for count in itertools.count():
        yield request("POST", target, b"n%d-%d:2375" % (first, count % 1000)), "all"
        if perf_counter() >= ends:
            return


def list_changed(port: int, engine_port: int, container: str, ends: float) -> Script:
    """Before each list, change a container, and wait for the manager's event about it."""
    data = request("GET", f"{_API}/containers/json?all=1")
    engine = connect(engine_port)
    events = connect(port)
    events.sendall(request("GET", f"{_API}/events"))
    read_head(events)
    for action in _pauses():
        ask(engine, request("POST", f"{_API}/containers/{container}/{action}"))
        while b'"timeNano"' not in events.recv(65536):
            pass
        yield data, "all"
        if action == "unpause" and perf_counter() >= ends:
            break
    engine.close()
    events.close()


def _pauses() -> Iterator[str]:
    return itertools.cycle(("pause", "unpause"))
