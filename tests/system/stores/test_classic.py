"""Agents and managers of Swarm classic and swarmcore together; each reads the other's data."""

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from swarmcore_lab.stores import ConsulStore, running

from tests.system.stores.conversation import replay
from tests.system.stores.hub import HubProcess

pytestmark = pytest.mark.docker

OURS = "10.2.2.2:2375"


# ---- at a hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = HubProcess(tmp_path_factory.mktemp("hub"), "--rate", "0")
    hub.start()
    yield hub
    hub.kill()


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_our_hub_answers_classics_commands_as_they_expect(hub, prefix):
    assert len(replay("hub", hub.port, prefix=prefix)["token"]) == 32


class OldHub(ThreadingHTTPServer):
    """A hub with only classic's requests; it records them."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _OldHubRequest)
        self.port = self.server_address[1]
        self.addresses = []
        self.posted = []


class _OldHubRequest(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(200, json.dumps(self.server.addresses).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posted.append((self.path, self.headers["Content-Type"], body))
        self.server.addresses.append(body)
        self._answer(200, b"")

    def do_DELETE(self):
        self._answer(405, b"")

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
def old_hub():
    with OldHub() as hub:
        thread = Thread(target=hub.serve_forever, args=(0.05,))
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()


def test_join_and_list_work_with_a_hub_like_classics(old_hub, join, listed, wait_until):
    uri = f"token+http://127.0.0.1:{old_hub.port}/v1/abc"
    joined = join(OURS, uri)
    wait_until(lambda: old_hub.posted, "the engine that joined")
    assert old_hub.posted == [("/v1/clusters/abc?ttl=180", "application/json", OURS)]
    assert listed(uri) == [OURS]
    # It cannot be told of one that leaves: the time runs out there.
    joined.terminate()
    assert joined.wait(30) == 0


# ---- in Consul


@pytest.fixture(scope="module")
def consul(tmp_path_factory):
    with running(ConsulStore(tmp_path_factory.mktemp("consul"))) as store:
        yield store


def test_engines_that_classics_agent_wrote_into_consul_are_found(consul, listed):
    replay("consul_join", consul.port, prefix="agents")
    assert listed(consul.uri("agents")) == ["10.1.1.1:2375"]


def test_classics_manager_can_read_what_our_agent_writes_into_consul(
    consul, join, listed, wait_until
):
    uri = consul.uri("managers")
    join(OURS, uri)
    wait_until(lambda: listed(uri) == [OURS], "the engine that joined")
    coded = b64encode(OURS.encode()).decode()
    replay("consul_manage", consul.port, prefix="managers", address=OURS, coded=coded)
    # Its marker of the folder is no engine to us either.
    assert listed(uri) == [OURS]
