"""Which engine builds for a client, as a table of requests and times."""

import pytest
from swarmcore_api_docker.build.affinity import KEPT_SECONDS, AffinityKey, BuilderAffinity

ME, YOU = AffinityKey("client", "10.0.0.7"), AffinityKey("client", "CN=you")
SESSION, BUILD = AffinityKey("session", "s1"), AffinityKey("build", "b1")


@pytest.fixture
def engines():
    return BuilderAffinity()


def use(engines, keys, node, *, until):
    engines.begin(keys, node)
    engines.end(keys, until)


@pytest.mark.parametrize(
    ("now", "found"),
    [(100.0, "n1"), (100.0 + KEPT_SECONDS - 1, "n1"), (100.0 + KEPT_SECONDS, None)],
    ids=["at once", "within the hour", "an hour later"],
)
def test_an_engine_is_kept_an_hour_after_its_last_use(engines, now, found):
    use(engines, [ME], "n1", until=50.0)
    use(engines, [ME], "n1", until=100.0)
    assert engines.find(ME, now) == found


def test_an_engine_is_kept_while_a_tunnel_is_open(engines):
    engines.begin([ME], "n1")
    engines.begin([ME], "n1")
    engines.end([ME], 10.0)
    assert engines.find(ME, 10 * KEPT_SECONDS) == "n1"
    engines.end([ME], 10 * KEPT_SECONDS)
    assert engines.find(ME, 11 * KEPT_SECONDS - 1) == "n1"
    assert engines.find(ME, 11 * KEPT_SECONDS) is None


def test_clients_sessions_and_builds_have_separate_names(engines):
    engines.begin([ME, SESSION], "n1")
    engines.begin([YOU, BUILD], "n2")
    assert [engines.find(key, 0.0) for key in (ME, SESSION, YOU, BUILD)] == ["n1", "n1", "n2", "n2"]
    assert engines.find(AffinityKey("build", "s1"), 0.0) is None


def test_a_lost_engine_is_forgotten(engines):
    engines.begin([ME, SESSION], "n1")
    engines.begin([ME], "n1")
    engines.forget([ME])
    assert engines.find(ME, 0.0) is None
    assert engines.find(SESSION, 0.0) == "n1"
    engines.end([ME], 1.0)
    engines.end([ME, SESSION], 2.0)
    assert engines.find(ME, 3.0) is None


def test_the_load_counts_idle_clients_and_running_builds(engines):
    engines.begin([ME, SESSION, BUILD], "n1")
    assert (engines.load("n1"), engines.load("n2")) == (2, 0)
    engines.end([ME, SESSION, BUILD], 1.0)
    assert engines.load("n1") == 1
    engines.begin([YOU], "n1")
    assert engines.load("n1") == 2


def test_ids_made_up_by_clients_are_limited(engines):
    engines.begin([ME], "n1")
    for number in range(10_100):
        use(engines, [AffinityKey("session", str(number))], "n1", until=1.0)
    assert len(engines) == 10_001
    assert engines.find(ME, 1.0) == "n1"
    assert engines.find(AffinityKey("session", "0"), 1.0) is None
    assert engines.find(AffinityKey("session", "10099"), 1.0) == "n1"
