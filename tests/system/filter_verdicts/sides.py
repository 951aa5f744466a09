"""The engines and the manager, which get the same requests, and helpers to read their lists."""

import http.client
import json
from collections.abc import Callable
from typing import Any

NODE = "com.docker.swarm.node.name"
LISTS = {
    "containers": "/v1.41/containers/json?all=1",
    "images": "/v1.41/images/json?x=",
    "networks": "/v1.41/networks?x=",
    "volumes": "/v1.41/volumes?x=",
}


class Side:
    """One address, with a connection that is kept."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def __call__(
        self, method: str, target: str, body: Any = None, kind: str = "application/json"
    ) -> tuple[int, Any]:
        """Send a request; return the status, and the JSON or the error's text."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self.connection.request(method, target, data, {"Content-Type": kind} if data else {})
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status >= 400:
            return answer.status, json.loads(said)["message"]
        try:
            return answer.status, json.loads(said)
        except ValueError:  # an archive, or a stream of documents
            return answer.status, said


#: How to make an object of a kind, of this name and with these labels.
MAKERS: dict[str, Callable[[Side, str, dict[str, str]], Any]] = {
    "containers": lambda ask, name, labels: ask(
        "POST", f"/containers/create?name={name}", {"Image": "busybox", "Labels": labels}
    ),
    "networks": lambda ask, name, labels: ask(
        "POST", "/networks/create", {"Name": name, "Labels": labels, "CheckDuplicate": True}
    ),
    "volumes": lambda ask, name, labels: ask(
        "POST", "/volumes/create", {"Name": name, "Labels": labels}
    ),
}


def shown(kind: str, answer: Any, node: str = "") -> set[str]:
    """Return the objects of a list; of a manager's list, those of *node*."""
    if kind == "images":
        return {image["Id"] for image in answer}
    found = set()
    for item in answer["Volumes"] or () if kind == "volumes" else answer:
        where, _, name = (item.get("Name") or "").rpartition("/")
        if kind == "containers":
            where, name = item["Labels"].get(NODE, ""), item["Names"][0]
        if not node or where == node:
            found.add(name)
    return found
