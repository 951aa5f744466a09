"""A hub with restricted access: limits per peer, passwords, TLS with its own CA."""

import json
import signal
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from tests.system.manager import SWARMCORE
from tests.system.stores.hub import HubProcess

pytestmark = pytest.mark.docker


@pytest.fixture
def start_hub(tmp_path):
    """Start a hub with these options; it ends with the test."""
    hubs = []

    def start(*options, **named):
        folder = tmp_path / f"hub-{len(hubs)}"
        folder.mkdir()
        hubs.append(HubProcess(folder, *options, **named))
        hubs[-1].start()
        return hubs[-1]

    yield start
    for hub in hubs:
        hub.kill()


def create(*options):
    """Run ``swarmcore create``; return its result."""
    return subprocess.run(
        [SWARMCORE, "create", *options], capture_output=True, text=True, timeout=30, check=False
    )


# ---- limits


def test_a_peer_with_too_many_requests_gets_the_time_to_retry(start_hub):
    hub = start_hub("--rate", "1")
    with ThreadPoolExecutor(20) as pool:  # more than a slow machine's time makes good
        answers = list(pool.map(lambda _: hub.ask("GET", "/healthz"), range(60)))
    refused = [headers["Retry-After"] for status, headers, _ in answers if status == 429]
    assert refused
    assert all(int(seconds) >= 1 for seconds in refused)


def test_a_peer_that_keeps_too_many_connections_open_is_turned_away(start_hub, wait_until):
    hub = start_hub("--rate", "0", "--connections", "2")
    # Those of the start are closed first.
    wait_until(lambda: hub.ask("GET", "/healthz")[0] == 200, "a place at the hub")

    def connect():
        connection = socket.create_connection(("127.0.0.1", hub.port), 30)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        return connection, connection.recv(100)

    def fill():
        """Open two connections that are served, as soon as no other connections are open."""
        both = [connect(), connect()]
        if all(b" 200 OK" in answer for _, answer in both):
            return [connection for connection, _ in both]
        for connection, _ in both:
            connection.close()
        return None

    first, second = wait_until(fill, "two connections")
    with first, second:
        third, answer = connect()
        third.close()
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert hub.ask("GET", "/healthz")[0] == 429
    wait_until(lambda: hub.ask("GET", "/healthz")[0] == 200, "a place at the hub")


# ---- passwords


def test_with_a_password_every_request_needs_it(start_hub, tmp_path, join, listed, wait_until):
    (tmp_path / "auth").write_text("me:secret\n")
    hub = start_hub("--rate", "0", "--auth", str(tmp_path / "auth"))
    status, headers, _ = hub.ask("POST", "/v1/clusters")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="swarmcore"')
    assert "status 401" in create("--hub", f"{hub.url}/v1").stderr
    made = create("--hub", f"http://me:secret@127.0.0.1:{hub.port}/v1")
    assert "secret" not in made.stderr
    uri = f"token+http://me:secret@127.0.0.1:{hub.port}/v1/{made.stdout.strip()}"
    join("10.0.0.1:2375", uri)
    wait_until(lambda: listed(uri) == ["10.0.0.1:2375"], "the engine that joined")


# ---- TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A CA, the hub's certificate and a client's."""
    folder = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    for name, identity in (("hub", "127.0.0.1"), ("client", "client@example.org")):
        issued = ca.issue_cert(identity)
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
    return folder


@pytest.mark.parametrize("client", ["httpx", "asks"])
def test_engines_join_and_are_found_over_tls(
    start_hub, certificates, client, engines, join, start_manager, wait_until
):
    ca = str(certificates / "ca.pem")
    cert, key = (str(certificates / f"client.{kind}") for kind in ("pem", "key"))
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(cert, key)
    hub = start_hub(
        *("--rate", "0", "--tlsverify", "--tlscacert", ca),
        *("--tlscert", str(certificates / "hub.pem"), "--tlskey", str(certificates / "hub.key")),
        tls=context,
    )
    made = create("--hub", f"{hub.url}/v1", "--tlscacert", ca, "--tlscert", cert, "--tlskey", key)
    assert made.returncode == 0, made.stderr
    uri = made.stderr.strip().splitlines()[-1]
    assert uri == f"token://127.0.0.1:{hub.port}/v1/{made.stdout.strip()}"
    options = [
        *("--discovery-opt", f"token.client={client}", "--discovery-opt", f"token.cacertfile={ca}"),
        *("--discovery-opt", f"token.certfile={cert}", "--discovery-opt", f"token.keyfile={key}"),
    ]
    manager = start_manager(*options, uri)
    join(engines["old"].address, uri, *options)
    joined = join(engines["new"].address, uri, *options)
    manager.wait_healthy(2)
    joined.send_signal(signal.SIGTERM)
    assert joined.wait(30) == 0
    wait_until(lambda: manager.statuses() == ["Healthy"], "the one that left to go")


def test_a_hub_with_a_certificate_is_asked_by_https_alone_and_must_be_trusted(
    start_hub, certificates
):
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    hub = start_hub(
        *("--tlscert", str(certificates / "hub.pem"), "--tlskey", str(certificates / "hub.key")),
        tls=context,
    )
    token = hub.create()
    assert json.loads(hub.ask("GET", f"/v1/clusters/{token}")[2]) == []
    stranger = create("--hub", f"{hub.url}/v1")
    assert stranger.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.stderr
    assert create("--hub", f"http://127.0.0.1:{hub.port}/v1").returncode == 1
