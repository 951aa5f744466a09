"""JupyterHub's DockerSpawner with its defaults: each user's server runs in a container.

It publishes the server's port on the address in DOCKER_HOST, and looks for it where the engine says
it is.  The server in this test is busybox's httpd, not a notebook.
"""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from swarmcore_lab.releases import cache_dir

from swarmcore.testing.ports import free_port

SPAWNER = "DockerSpawner"
CONFIG = Path(__file__).with_name("jupyterhub_config.py")
#: Says its host name, where the hub and its proxy look for it.
SERVE = "mkdir -p .$PREFIX; hostname >.${PREFIX}index.html; trap exit TERM; httpd -f -p 8888 & wait"
DOCKERFILE = f"""
FROM busybox
WORKDIR /srv
CMD ["sh", "-c", "PREFIX=$JUPYTERHUB_SERVICE_PREFIX; {SERVE}"]
"""


class Hub:
    """A JupyterHub with its proxy, as a process."""

    def __init__(self, docker_host, folder):
        self._url = f"http://127.0.0.1:{free_port()}"
        self._token = "0123456789abcdef0123456789abcdef"
        self._folder = folder
        python = cache_dir() / "python" / "jupyterhub" / "bin"
        self._command = [str(python / "jupyterhub"), "-f", str(CONFIG)]
        node = cache_dir() / "node" / "node_modules" / "configurable-http-proxy"
        self._environment = {
            "PATH": f"{python}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "DOCKER_HOST": docker_host,
            "TEST_BIND_URL": self._url,
            "TEST_HUB_BIND_URL": f"http://127.0.0.1:{free_port()}",
            "TEST_PROXY_API_URL": f"http://127.0.0.1:{free_port()}",
            "TEST_PROXY": str(node / "bin" / "configurable-http-proxy"),
            "TEST_TOKEN": self._token,
        }

    def start(self):
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment, cwd=self._folder
            )

    def stop(self):
        self._process.terminate()
        self._process.wait(60)

    def log(self):
        return (self._folder / "log").read_text()

    def ask(self, method, path):
        """Send a request to its API."""
        request = urllib.request.Request(
            f"{self._url}/hub/api{path}",
            method=method,
            headers={"Authorization": f"token {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=90) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def answers(self):
        assert self._process.poll() is None, self.log()
        try:
            return self.ask("GET", "/")
        except OSError:
            return None

    def server(self, user):
        """Return the user's server as soon as it is ready."""
        told = self.ask("GET", f"/users/{user}")["servers"].get("")
        return told and told["ready"]

    def read(self, user):
        """Return the answer of the user's server, requested through the proxy."""
        with urllib.request.urlopen(f"{self._url}/user/{user}/", timeout=10) as answer:
            return answer.read().decode().strip()


@pytest.fixture
def hub(target, lab, shared_fleet, start_manager, tmp_path, wait_until, versions):
    """A running hub, for a target whose address is not on this machine's loopback."""
    found = next((cache_dir() / "python" / "jupyterhub").glob("lib/*/*/dockerspawner-*.dist-info"))
    versions[SPAWNER] = found.name.split("-")[1].removesuffix(".dist")
    host = target.host
    if target.is_cluster:
        host = f"tcp://{lab.gateway}:{free_port()}"
        engines = ",".join(engine.address for engine in shared_fleet.engines.values())
        start_manager("-H", host, engines).wait_healthy(3)
    hub = Hub(host, tmp_path)
    hub.start()
    try:
        wait_until(hub.answers, "the hub to answer")
        yield hub
    finally:
        hub.stop()


@pytest.mark.client(SPAWNER, "starts servers, which answer through the proxy; stops, starts again")
def test_server(hub, sdk, tmp_path, wait_until):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    sdk.images.build(path=str(tmp_path), tag="lab/notebook:1")
    for user in ("ada", "grace"):
        hub.ask("POST", f"/users/{user}")
        hub.ask("POST", f"/users/{user}/server")
        wait_until(lambda user=user: hub.server(user), f"the server of {user}; {hub.log()}")
        container = sdk.containers.get(f"jupyter-{user}")
        assert hub.read(user) == container.short_id
    hub.ask("DELETE", "/users/ada/server")
    wait_until(lambda: hub.server("ada") is None, "the server of ada to be stopped")
    container = sdk.containers.get("jupyter-ada")
    assert container.status == "exited"
    hub.ask("POST", "/users/ada/server")
    wait_until(lambda: hub.server("ada"), f"the server of ada to be back; {hub.log()}")
    assert hub.read("ada") == container.short_id
