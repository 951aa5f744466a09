"""Other clients of a manager, which create and remove objects while a test runs."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

CLIENTS = 20
#: Between two rounds of one of them: the machine must not be full, for that would try the engines.
_PAUSE_SECONDS = 2.0
#: A start costs an engine a hundred times what the rest of a round does.
_STARTS_EVERY = 5
#: What they make carries this label, so that a test can tell it from its own.
LABEL = "busy"


class Neighbour(threading.Thread):
    """One client: it creates and removes a container, a volume and an image name, repeatedly.

    Args:
        port: the manager's port on loopback.
        number: distinguishes its objects from those of others.
        ended: is set when the client must stop.
    """

    def __init__(self, port: int, number: int, ended: threading.Event) -> None:
        super().__init__(name=f"neighbour-{number}", daemon=True)
        self._port, self._ended = port, ended
        self._name = f"busy-{number}"
        self.rounds = 0
        #: What was answered with an error that no neighbour may cause.
        self.failures: list[str] = []

    def run(self) -> None:
        """Work until ``ended`` is set, and remove all objects."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=110)
        with contextlib.closing(connection):
            while not self._ended.is_set():
                try:
                    self._round(connection)
                except OSError as error:
                    self.failures.append(f"{self._name}: {error!r}")
                    connection.close()
                self.rounds += 1
                self._ended.wait(_PAUSE_SECONDS)

    def _round(self, connection: http.client.HTTPConnection) -> None:
        name, labels = self._name, {LABEL: "1"}
        ask = self._ask
        body = {"Image": "busybox", "Cmd": ["sleep", "1000"], "Labels": labels}
        ask(connection, "POST", f"/containers/create?name={name}", body)
        if self.rounds % _STARTS_EVERY == 0:
            ask(connection, "POST", f"/containers/{name}/start")
        ask(connection, "DELETE", f"/containers/{name}?force=1")
        ask(connection, "POST", "/volumes/create", {"Name": name, "Labels": labels})
        ask(connection, "DELETE", f"/volumes/{name}")
        ask(connection, "POST", f"/images/busybox/tag?repo={name}&tag=1")
        ask(connection, "DELETE", f"/images/{name}:1")

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any = None
    ) -> None:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"/v1.41{path}", sent, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            self.failures.append(f"{method} {path}: {answer.status} {text[:200]!r}")


@contextlib.contextmanager
def neighbours(port: int, count: int = CLIENTS) -> Iterator[list[Neighbour]]:
    """Let *count* clients use the manager on *port* during the block."""
    ended = threading.Event()
    working = [Neighbour(port, number, ended) for number in range(count)]
    for each in working:
        each.start()
    try:
        yield working
    finally:
        ended.set()
        for each in working:
            each.join(120)
