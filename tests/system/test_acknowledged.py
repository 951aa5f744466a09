"""An engine dies right after its answer that it has made an object; the object counts as made.

It is treated like another object on the same engine, and gets the same answers.
"""

import http.client
import json

import pytest

from tests.system.overseeing import LastAnswer

NODE = "new"


class Client:
    """Sends requests to a manager; an error status is a valid answer."""

    def __init__(self, manager):
        self._address = f"127.0.0.1:{manager.port}"

    def __call__(self, method, path, body=None):
        connection = http.client.HTTPConnection(self._address, timeout=60)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, f"/v1.41{path}", body and json.dumps(body), headers)
        answer = connection.getresponse()
        status, content = answer.status, answer.read()
        connection.close()
        return status, json.loads(content) if content else None


def container(ask, name):
    body = {"Image": "busybox", "Cmd": ["true"], "Env": [f"constraint:node=={NODE}"]}
    return ask("POST", f"/containers/create?name={name}", body)


def network(ask, name):
    return ask("POST", "/networks/create", {"Name": f"{NODE}/{name}"})


def volume(ask, name):
    return ask("POST", "/volumes/create", {"Name": f"{NODE}/{name}"})


KINDS = {
    "containers": (container, ("GET /json", "POST /start", "POST /rename?name=x", "DELETE ")),
    "networks": (network, ("GET ", "DELETE ")),
    "volumes": (volume, ("GET ", "DELETE ")),
}


def listed(ask, kind):
    """Return the names in the list."""
    path = "/containers/json?all=1" if kind == "containers" else f"/{kind}"
    documents = ask("GET", path)[1]
    if kind == "volumes":
        documents = documents["Volumes"] or []
    return {name.lstrip("/") for each in documents for name in each.get("Names") or [each["Name"]]}


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_an_engine_acknowledged_is_known(engines, start_manager, wait_until, kind):
    make, requests = KINDS[kind]
    proxy = LastAnswer(engines[NODE].address)
    manager = start_manager(f"{proxy.address},{engines['old'].address}")
    manager.wait_healthy(2)
    ask = Client(manager)
    try:
        assert make(ask, "neighbour")[0] == 201
        proxy.die_after(f"/{kind}/create")
        status, made = make(ask, "acknowledged")
        assert status == 201
        assert proxy.is_dead.is_set()
        wait_until(lambda: "Unhealthy" in manager.statuses(), "the engine to be missed")
        shown = listed(ask, kind)
        assert ("acknowledged" in shown) == ("neighbour" in shown)
        for request in requests:
            method, _, rest = request.partition(" ")
            told = [ask(method, f"/{kind}/{name}{rest}") for name in ("acknowledged", "neighbour")]
            assert told[0][0] == told[1][0] == 503, told
            assert str(told[0][1]).replace("acknowledged", "neighbour") == str(told[1][1])
        if kind == "containers":
            status, refusal = make(ask, "acknowledged")
            assert (status, made["Id"] in refusal["message"]) == (409, True)
            assert ask("GET", f"/containers/{made['Id']}/json")[0] == 503
        proxy.revive()
        manager.wait_healthy(2)
        assert {"acknowledged", "neighbour"} <= listed(ask, kind)
        for name in ("acknowledged", "neighbour"):
            assert ask("DELETE", f"/{kind}/{name}")[0] == 204
    finally:
        manager.stop()
        if not proxy.is_dead.is_set():
            proxy.close()
