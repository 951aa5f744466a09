"""An etcd that requires TLS with its own CA, and users with passwords."""

import json
import ssl
import subprocess
from base64 import b64encode

import pytest
import trustme
from swarmcore_lab.stores import EtcdStore, running
from swarmcore_lab.stores.asking import ask

from swarmcore.testing.ports import free_port
from tests.system.manager import SWARMCORE

pytestmark = pytest.mark.docker

USER, PASSWORD = "swarm", "s3cret"


class GuardedEtcd(EtcdStore):
    """An etcd that serves only TLS."""

    def __init__(self, folder):
        super().__init__(folder)
        ca = trustme.CA()
        ca.cert_pem.write_to_path(folder / "ca.pem")
        ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "etcd.pem")
        self.ca = str(folder / "ca.pem")
        self._certificate = str(folder / "etcd.pem")
        self._context = ssl.create_default_context(cafile=self.ca)

    def command(self, data):
        plain, secure = f"http://127.0.0.1:{self.port}", f"https://127.0.0.1:{self.port}"
        return (
            *(word.replace(plain, secure) for word in super().command(data)),
            *("--cert-file", self._certificate, "--key-file", self._certificate),
        )

    def is_ready(self):
        return self._ask("health") == {"health": "true"}

    def demand_users(self):
        """Make two users: root has all rights, the other one has rights below ``lab/``."""
        for name, password in (("root", "toor"), (USER, PASSWORD)):
            self._ask("v3/auth/user/add", name=name, password=password)
            self._ask("v3/auth/role/add", name=name)
            self._ask("v3/auth/user/grant", user=name, role=name)
        first, end = (b64encode(key).decode() for key in (b"lab/", b"lab0"))
        permission = {"permType": "READWRITE", "key": first, "range_end": end}
        self._ask("v3/auth/role/grant", name=USER, perm=permission)
        self._ask("v3/auth/enable")

    def _ask(self, path, **fields):
        body = None if path == "health" else json.dumps(fields).encode()
        url = f"https://127.0.0.1:{self.port}/{path}"
        return json.loads(ask(url, body, context=self._context))


@pytest.fixture(scope="module")
def etcd(tmp_path_factory):
    with running(GuardedEtcd(tmp_path_factory.mktemp("etcd"))) as etcd:
        etcd.demand_users()
        yield etcd


@pytest.fixture
def trusting(etcd):
    """Return the options that trust the etcd's certificate."""
    return ["--discovery-opt", f"kv.cacertfile={etcd.ca}"]


@pytest.fixture
def options(trusting, tmp_path):
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return [
        *trusting,
        *("--discovery-opt", f"etcd.user={USER}"),
        *("--discovery-opt", f"etcd.passwordfile={tmp_path / 'password'}"),
    ]


def list_failing(etcd, *options):
    """Return the error of ``swarmcore list``, which must fail."""
    done = subprocess.run(
        [SWARMCORE, "list", *options, etcd.uri("lab")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_joins_and_elections_survive_a_restart_that_forgets_logins(
    etcd, options, engines, join, start_manager, wait_until
):
    uri, advertised = etcd.uri("lab"), f"127.0.0.1:{free_port()}"
    manager = start_manager(
        *options, *("--replication", "--replication-ttl", "5s", "--advertise", advertised), uri
    )

    def role():
        return dict(manager.get("/info")["SystemStatus"])["Role"]

    join(engines["old"].address, uri, *options, "--heartbeat", "1s", "--ttl", "60s")
    manager.wait_healthy(1)
    wait_until(lambda: role() == "primary", "the manager to lead")
    etcd.kill()
    wait_until(lambda: role() == "replica", "the manager to lead no more")
    etcd.start()
    join(engines["new"].address, uri, *options)
    manager.wait_healthy(2)
    wait_until(lambda: role() == "primary", "the manager to lead again")
    assert PASSWORD not in manager.log.read_text()


def test_a_missing_user_is_reported_with_the_options_to_give(etcd, trusting):
    assert "etcd.user=NAME and etcd.passwordfile=FILE" in list_failing(etcd, *trusting)


def test_a_wrong_password_and_an_unknown_ca_are_named(etcd, options, tmp_path):
    assert "CERTIFICATE_VERIFY_FAILED" in list_failing(
        etcd, *options[2:], "--discovery-opt", f"kv.cacertfile={_other_ca(tmp_path)}"
    )
    (tmp_path / "password").write_text("guessed")
    assert "invalid user ID or password" in list_failing(etcd, *options)


def _other_ca(folder):
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    return folder / "other.pem"
