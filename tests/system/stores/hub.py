"""``swarmcore hub`` as a process of a test."""

import ssl
import urllib.error
import urllib.request
from pathlib import Path

from swarmcore_lab.stores.server import Store

from tests.system.manager import SWARMCORE


class HubProcess(Store):
    """``swarmcore hub`` on loopback.

    Args:
        folder: an own folder.
        options: options of the command.
        tls: the TLS settings of requests to it, if it serves TLS.
    """

    def __init__(self, folder: Path, *options: str, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(folder)
        self.scheme = "token" if tls else "token+http"
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._options = options
        self._tls = tls

    def command(self, data):
        listen = f"127.0.0.1:{self.port}"
        return (SWARMCORE, "hub", "-H", listen, "--data-dir", str(data), *self._options)

    def is_ready(self):
        return self.ask("GET", "/healthz")[0] in (200, 401, 429)

    def put(self, path, value):
        raise NotImplementedError("a hub has no keys")

    def ask(self, method, path, body=None, **headers):
        """Return status, headers and body of one request."""
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=70, context=self._tls) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def create(self):
        return self.ask("POST", "/v1/clusters")[2].decode()
