"""The hub's registry and its rate limits, with a clock that the test sets."""

import pytest
from swarmcore_hub.buckets import Buckets
from swarmcore_hub.registry import Limits, Registry, Row, read_registration

from swarmcore.errors import BadRequest, NotFound, Unavailable


@pytest.fixture
def registry():
    return Registry(Limits(clusters=2, nodes=3, idle_seconds=100))


@pytest.fixture
def token(registry):
    return registry.create(0)


# ---- what is kept


def test_a_token_is_32_hexadecimal_digits_and_never_the_same(registry):
    tokens = {registry.create(0) for _ in range(2)}
    assert len(tokens) == 2
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)


def test_engines_are_listed_once_and_sorted(registry, token):
    for address in ("n2:1", "n1:1", "n2:1"):
        registry.register(token, address, 60, 0)
    assert registry.list(token) == ["n1:1", "n2:1"]


def test_labels_are_sent_only_on_request(registry, token):
    registry.register(token, "n1:1 zone=a disk=ssd", 60, 0)
    assert registry.list(token) == ["n1:1"]
    assert registry.list(token, labels=True) == ["n1:1 zone=a disk=ssd"]


def test_an_engine_is_gone_after_its_time_unless_it_is_renewed(registry, token):
    registry.register(token, "n1:1", 60, 0)
    registry.register(token, "n2:1", 60, 0)
    registry.register(token, "n1:1", 60, 30)
    assert registry.expire(59) == set()
    assert registry.expire(60) == {token}
    assert registry.list(token) == ["n1:1"]
    registry.expire(90)
    assert registry.list(token) == []


def test_an_engine_without_a_time_to_live_stays(registry, token):
    registry.register(token, "n1:1", 0, 0)
    registry.expire(10**9)
    assert registry.list(token) == ["n1:1"]


def test_a_renewal_is_no_change_and_new_labels_are(registry, token):
    registry.register(token, "n1:1", 60, 0)
    version = registry.version(token)
    registry.register(token, "n1:1", 60, 1)
    assert registry.version(token) == version
    registry.register(token, "n1:1 zone=a", 60, 2)
    assert registry.version(token) != version


def test_stored_engines_are_there_after_a_restart():
    registry = Registry(clusters={"t": 0.0}, rows=[Row("t", "n1:1", "zone=a", 50.0, 60.0)])
    assert registry.list("t", labels=True) == ["n1:1 zone=a"]
    registry.expire(50)
    assert registry.list("t") == []


# ---- what is refused


def test_limits_hold(registry):
    first, _ = registry.create(0), registry.create(0)
    with pytest.raises(Unavailable, match="no more than 2 clusters"):
        registry.create(0)
    for number in range(3):
        registry.register(first, f"n{number}:1", 60, 0)
    with pytest.raises(Unavailable, match="no more than 3 engines"):
        registry.register(first, "n9:1", 60, 0)
    registry.register(first, "n1:1", 60, 1)


def test_an_unused_cluster_without_engines_is_removed(registry):
    used, idle = registry.create(0), registry.create(0)
    registry.register(used, "n1:1", 0, 0)
    assert registry.drop_idle(101) == {idle}
    with pytest.raises(NotFound, match="no cluster has this token"):
        registry.list(idle)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n1",
        "n1:",
        "n1:0",
        "n1:65536",
        "http://n1:1",
        "n1:1/x",
        "me@n1:1",
        "n1:1 zone",
        "fe80::1",
    ],
)
def test_an_invalid_engine_is_refused_and_shown(text):
    with pytest.raises(BadRequest, match=r"HOST:PORT|KEY=VALUE"):
        read_registration(text)


@pytest.mark.parametrize("text", ["10.0.0.1:2375", '"10.0.0.1:2375"', " 10.0.0.1:2375\n"])
def test_classics_bare_address_and_a_json_text_are_the_same(text):
    assert read_registration(text) == ("10.0.0.1:2375", "")


# ---- how often


def test_a_peer_that_asks_too_often_waits_and_others_do_not():
    buckets = Buckets(2)
    assert [buckets.take("a", 0) for _ in range(4)] == [0, 0, 0, 0]
    assert buckets.take("a", 0) == 0.5
    assert buckets.take("b", 0) == 0
    assert buckets.take("a", 0.5) == 0


def test_a_rate_of_zero_is_no_limit():
    buckets = Buckets(0)
    assert all(buckets.take("a", 0) == 0 for _ in range(1000))
