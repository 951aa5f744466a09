"""The manager is killed under load: containers run on, and the next manager knows all of them."""

import http.client
import json
import signal
import threading


def create_until_told(port, stop, created):
    """Create containers one after another; containers of answered creates must not be lost."""
    number = 0
    while not stop.is_set():
        number += 1
        name = f"load-{threading.get_ident()}-{number}"
        body = json.dumps({"Image": "busybox", "Cmd": ["sleep", "600"], "Labels": {"load": "1"}})
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request(
                "POST", f"/v1.41/containers/create?name={name}", body,
                {"Content-Type": "application/json"},
            )  # fmt: skip
            answer = connection.getresponse()
            content = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            continue
        finally:
            connection.close()
        if answer.status == 201:
            created.append((content["Id"], name))


def test_sigkill_under_load_loses_no_container(fleet, start_manager, wait_until):
    addresses = ",".join(engine.address for engine in fleet.engines.values())
    manager = start_manager(addresses)
    manager.wait_healthy(3)
    stop, created = threading.Event(), []
    clients = [
        threading.Thread(target=create_until_told, args=(manager.port, stop, created))
        for _ in range(6)
    ]
    for client in clients:
        client.start()
    try:
        wait_until(lambda: len(created) > 20, "some creates")
        manager.stop(signal.SIGKILL)
    finally:
        stop.set()
        for client in clients:
            client.join()

    on_engines = {}
    for engine in fleet.engines:
        listed = fleet.direct(engine)(
            "ps", "-a", "--no-trunc", "--filter", "label=load", "--format", "{{.ID}} {{.Names}}"
        )
        on_engines |= dict(line.split() for line in listed.splitlines())
    manager.start()
    manager.wait_healthy(3)
    known = {
        item["Id"]: item["Names"][0].lstrip("/")
        for item in manager.get('/v1.41/containers/json?all=1&filters={"label":["load"]}')
    }
    assert known == on_engines
    assert len(set(known.values())) == len(known)
    assert set(created) <= set(known.items())


def test_sigterm_ends_streams_and_exits_zero(fleet, start_manager, wait_until):
    addresses = ",".join(engine.address for engine in fleet.engines.values())
    manager = start_manager("--grace-period=1s", addresses)
    manager.wait_healthy(3)
    docker = fleet.docker(host=manager.host)
    docker("run", "-d", "--name", "on", "busybox", "sleep", "600")
    follow = docker.start("events")
    wait_until(lambda: manager.get("/info")["NEventsListener"], "the events client")
    assert manager.stop(signal.SIGTERM) == 0
    follow.communicate(timeout=30)
    assert fleet.docker()("inspect", "-f", "{{.State.Running}}", "on") == "true"
