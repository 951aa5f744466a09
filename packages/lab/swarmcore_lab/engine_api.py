"""A small client of the Engine API, over the engine's unix socket.

It also works while the network is cut and when the engine requires TLS.  Its paths have no version,
so it uses the newest API version of the engine.
"""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from swarmcore_lab.errors import LabError


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class EngineApi:
    """Sends requests to one engine, each on a new connection."""

    def __init__(self, name: str, socket_path: Path) -> None:
        """Store the engine's name, for messages, and its socket."""
        self._name = name
        self._path = socket_path

    def is_answering(self) -> bool:
        """Return whether ``/_ping`` is answered with OK at the moment."""
        try:
            return self._exchange("GET", "/_ping", b"", {}, timeout=2)[0] == 200
        except OSError:
            return False

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> Any:
        """Send one request.

        Args:
            method: "GET", "POST", ...
            path: the path with its query, without a version.
            body: bytes are sent unchanged, anything else as JSON.
            headers: more headers.
            timeout: the time limit in seconds for each read and write.

        Returns:
            The decoded JSON; a list if there are several lines of JSON; ``None`` for an empty body;
            text if the body is not JSON.

        Raises:
            LabError: the engine cannot be reached, answers 400 or above, or reports an error in
                the stream of an answer (pull, push, import).
        """
        send = dict(headers or {})
        if body is None or isinstance(body, bytes):
            content = body or b""
        else:
            content = json.dumps(body).encode()
            send["Content-Type"] = "application/json"
        try:
            status, answer = self._exchange(method, path, content, send, timeout=timeout)
        except OSError as error:
            raise LabError(f"lab: engine {self._name}: {method} {path}: {error}") from error
        decoded = _decode(answer)
        if status >= 400:
            raise LabError(f"lab: engine {self._name}: {method} {path}: {status} {decoded}")
        for line in decoded if isinstance(decoded, list) else [decoded]:
            if isinstance(line, dict) and "errorDetail" in line:
                raise LabError(f"lab: engine {self._name}: {method} {path}: {line['error']}")
        return decoded

    def _exchange(
        self, method: str, path: str, body: bytes, headers: dict[str, str], *, timeout: float
    ) -> tuple[int, bytes]:
        connection = _UnixConnection(self._path, timeout)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(f"broken answer: {error!r}") from error
        finally:
            connection.close()


def _decode(answer: bytes) -> Any:
    text = answer.decode(errors="replace").strip()
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return text
