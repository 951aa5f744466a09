"""Engines that join, leave, die and outlive a store's restart, as a running manager sees them."""

import signal
import urllib.request

import pytest

pytestmark = pytest.mark.docker

#: Of a joiner that dies.  Consul ends a session between its own time, half of this, and twice it:
#: all are over by a heartbeat, and more, before the last moment at which they may be.
TTL, HEARTBEAT = 12, 4
MORTAL = ("--ttl", f"{TTL}s", "--heartbeat", f"{HEARTBEAT}s")
#: Of those that stay: nothing lapses because this machine was busy.
STEADY = ("--ttl", "60s", "--heartbeat", "2s")


@pytest.fixture
def uri(store, tmp_path):
    return store.uri(tmp_path.name)


@pytest.fixture
def manager(uri, start_manager):
    return start_manager(uri)


def test_an_engine_that_joins_is_used_and_one_that_leaves_is_not(
    manager, uri, join, listed, engines, make_docker, wait_until
):
    docker = make_docker("28", manager.host)
    join(engines["old"].address, uri, *STEADY)
    joined = join(engines["new"].address, uri, *STEADY, "--label", "zone=attic")
    # The contract says how soon.
    wait_until(lambda: manager.statuses() == ["Healthy"] * 2, "those that joined")
    assert sorted(listed(uri)) == sorted([engines["old"].address, engines["new"].address])
    docker("run", "--rm", "-e", "constraint:zone==attic", "busybox", "true")
    joined.send_signal(signal.SIGTERM)
    assert joined.wait(30) == 0
    # Long before its time, but where the store grants only ten seconds of it.
    wait_until(lambda: manager.statuses() == ["Healthy"], "the one that left to go", seconds=20)
    assert listed(uri) == [engines["old"].address]


def test_an_engine_whose_joiner_dies_is_gone_after_its_time(
    manager, uri, join, engines, wait_until
):
    join(engines["new"].address, uri, *STEADY)
    dies = join(engines["old"].address, uri, *MORTAL)
    manager.wait_healthy(2)
    dies.kill()
    wait_until(
        lambda: len(manager.statuses()) == 1, "the dead one to go", seconds=TTL + HEARTBEAT + 1
    )
    assert manager.statuses() == ["Healthy"]


def in_trouble(manager):
    """Return the error of discovery in ``info``, if there is one."""
    return dict(manager.get("/info")["SystemStatus"]).get("Discovery")


def metrics(manager):
    url = f"http://127.0.0.1:{manager.port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode().splitlines()


def test_a_store_that_restarts_costs_no_engine(manager, store, uri, join, engines, wait_until):
    join(engines["new"].address, uri, *STEADY)
    manager.wait_healthy(1)
    store.kill()
    wait_until(lambda: in_trouble(manager), "the manager to notice")
    assert "Discovery error: " in manager.log.read_text()
    assert "swarmcore_discovery_up 0" in metrics(manager)
    assert manager.statuses() == ["Healthy"]
    store.start()
    join(engines["old"].address, uri, *STEADY)
    manager.wait_healthy(2)
    wait_until(lambda: not in_trouble(manager), "the manager to see the store again")
    assert "swarmcore_discovery_up 1" in metrics(manager)
    assert "leaves the cluster" not in manager.log.read_text()
