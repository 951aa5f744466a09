"""The hub as a process: classic's requests, restarts, abuse; and the discovery that uses it."""

import contextlib
import gc
import http.client
import json
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest

from swarmcore.testing.contracts import DiscoveryContract
from tests.system.manager import SWARMCORE
from tests.system.stores.hub import HubProcess

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    hub = HubProcess(tmp_path_factory.mktemp("hub"), "--rate", "0")
    hub.start()
    yield hub
    hub.kill()


@pytest.fixture
def hub(running):
    running.start()
    return running


# ---- requests


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/clusters/none", None, 404),
        ("POST", "/v1/clusters/none?ttl=180", b"n1:1", 404),
        ("POST", "/v1/clusters/TOKEN?ttl=180", b"http://n1:1", 400),
        ("POST", "/v1/clusters/TOKEN?ttl=soon", b"n1:1", 400),
        ("POST", "/v1/clusters/TOKEN?ttl=180", b"\xff", 400),
        ("POST", "/v1/clusters/TOKEN?ttl=180", b"n" * 513, 413),
        ("PUT", "/v1/clusters/TOKEN", b"", 405),
        ("GET", "/v1/clusters", None, 405),
        ("DELETE", "/v1/clusters/TOKEN/n9:1", None, 404),
        ("GET", "/v1/nowhere", None, 404),
    ],
)
def test_bad_requests_are_refused(hub, method, path, body, status):
    assert hub.ask(method, path.replace("TOKEN", hub.create()), body)[0] == status


def test_a_web_page_cannot_change_a_list(hub):
    token = hub.create()
    for method, path in (("POST", "/v1/clusters"), ("POST", f"/v1/clusters/{token}")):
        assert hub.ask(method, path, b"n1:1", Origin="http://evil.example")[0] == 403
    assert hub.ask("GET", f"/v1/clusters/{token}", Origin="http://evil.example")[2] == b"[]\n"


# ---- what classic's hub did not do


def test_a_request_that_waits_for_a_change_is_answered_at_once(hub):
    path = f"/v1/clusters/{hub.create()}"
    hub.ask("POST", f"{path}?ttl=180", b"n1:1")
    tag = hub.ask("GET", path)[1]["ETag"]
    assert hub.ask("GET", f"{path}?wait=1", **{"If-None-Match": tag})[0] == 304
    hub.ask("POST", f"{path}?ttl=180", b"n2:1")
    status, _, body = hub.ask("GET", f"{path}?wait=55", **{"If-None-Match": tag})
    assert (status, json.loads(body)) == (200, ["n1:1", "n2:1"])


def test_a_list_is_there_in_prometheus_form(hub):
    path = f"/v1/clusters/{hub.create()}"
    hub.ask("POST", f"{path}?ttl=180", b"n1:1 zone=a disk-type=ssd")
    listed = json.loads(hub.ask("GET", f"{path}/http_sd")[2])
    assert listed == [{"targets": ["n1:1"], "labels": {"zone": "a", "disk_type": "ssd"}}]


def test_ten_thousand_registrations_are_there_after_a_kill(hub):
    path = f"/v1/clusters/{hub.create()}"

    def register(numbers):
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
        with contextlib.closing(connection):
            for number in numbers:
                connection.request("POST", f"{path}?ttl=600", b"n%d:2375" % number)
                with connection.getresponse() as answer:
                    assert (answer.status, answer.read()) == (200, b"")

    # Those that are written together share a transaction.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(register, [range(first, 10_000, 4) for first in range(4)]))
    hub.kill()
    hub.start()
    assert len(json.loads(hub.ask("GET", path)[2])) == 10_000


def test_a_hub_whose_disk_is_full_refuses_changes_and_keeps_serving(tmp_path):
    hub = HubProcess(tmp_path, "--rate", "0")
    hub.start()
    try:
        path = f"/v1/clusters/{hub.create()}"
        assert hub.ask("POST", f"{path}?ttl=180", b"n1:1")[0] == 200
        # No file of the process can grow any more.
        subprocess.run(["prlimit", "--pid", str(hub.pid), "--fsize=4096:unlimited"], check=True)
        for _ in range(3):
            status, _, body = hub.ask("POST", f"{path}?ttl=180", b"n2:1")
            assert status == 507
            assert "the hub cannot store this: " in json.loads(body)["message"]
            assert hub.ask("POST", f"{path}?ttl=180", b"n1:1")[0] == 200
        assert hub.ask("DELETE", f"{path}/n1:1")[0] == 507
        assert hub.ask("DELETE", path)[0] == 507
        assert hub.ask("POST", "/v1/clusters")[0] == 507
        assert json.loads(hub.ask("GET", path)[2]) == ["n1:1"]
        subprocess.run(["prlimit", "--pid", str(hub.pid), "--fsize=unlimited"], check=True)
        assert hub.ask("POST", f"{path}?ttl=180", b"n2:1")[0] == 200
        hub.kill()
        hub.start()
        assert json.loads(hub.ask("GET", path)[2]) == ["n1:1", "n2:1"]
        assert "Traceback" not in hub.log.read_text()
    finally:
        hub.kill()


def test_plain_text_is_served_to_this_machine_only(tmp_path):
    done = subprocess.run(
        [SWARMCORE, "hub", "-H", "0.0.0.0:0", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "give --tlscert and --tlskey" in done.stderr


# ---- the commands


def test_create_join_list_and_leave(hub, join, listed, wait_until):
    url = f"http://127.0.0.1:{hub.port}/v1"
    made = subprocess.run(
        [SWARMCORE, "create", "--hub", url], capture_output=True, text=True, timeout=30, check=True
    )
    uri = made.stderr.strip().splitlines()[-1]
    assert uri == f"token+http://127.0.0.1:{hub.port}/v1/{made.stdout.strip()}"
    joined = join("10.0.0.1:2375", uri)
    wait_until(lambda: listed(uri) == ["10.0.0.1:2375"], "the engine that joined")
    joined.send_signal(signal.SIGTERM)
    assert joined.wait(30) == 0
    assert listed(uri) == []


def test_join_ends_at_once_when_the_hub_knows_no_such_token(hub):
    uri = f"token+http://127.0.0.1:{hub.port}/v1/none"
    done = subprocess.run(
        [SWARMCORE, "join", "--advertise", "n1:1", uri],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "the hub has no cluster with this token; create one with 'swarmcore create'" in done.stderr
    )


# ---- the discovery's contract, by either client


class _AtHub(DiscoveryContract):
    name = "token"
    bad_uris = ("token://", "token://hub.example/v1/", "token://none", "token+http://10.0.0.1:1/t")
    supports_watch = True
    supports_failure = True
    heartbeat_seconds = 1.0

    @pytest.fixture(autouse=True)
    def _served(self, hub, monkeypatch):
        monkeypatch.delenv("SWARMCORE_HUB", raising=False)
        self.hub = hub

    def prepare(self, folder):
        self.token = self.hub.create()
        for text in (b"n1:2375 zone=a", b"n2:2375"):
            assert self.hub.ask("POST", f"/v1/clusters/{self.token}?ttl=600", text)[0] == 200
        return f"token+http://127.0.0.1:{self.hub.port}/v1/{self.token}"

    def change(self, folder):
        assert self.hub.ask("DELETE", f"/v1/clusters/{self.token}/n2:2375")[0] == 200

    def damage(self, folder):
        self.hub.kill()


class TestByHttpx(_AtHub):
    options: ClassVar[dict[str, str]] = {"token.client": "httpx"}


# A call that is cancelled while asks connects leaves its socket to Python's collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
class TestByAsks(_AtHub):
    options: ClassVar[dict[str, str]] = {"token.client": "asks"}

    @pytest.fixture(autouse=True)
    def _collected(self, _served):
        yield
        gc.collect()


del _AtHub
