"""The hub's book and its buckets, told the time."""

import pytest

from swarmcore.errors import BadRequest, NotFound, Unavailable
from swarmcore.hub.book import Book, Limits, Row, read_registration
from swarmcore.hub.buckets import Buckets


@pytest.fixture
def book():
    return Book(Limits(clusters=2, nodes=3, idle_seconds=100))


@pytest.fixture
def token(book):
    return book.create(0)


# ---- what is kept


def test_a_token_is_32_hexadecimal_digits_and_never_the_same(book):
    tokens = {book.create(0) for _ in range(2)}
    assert len(tokens) == 2
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)


def test_engines_are_listed_once_and_sorted(book, token):
    for address in ("n2:1", "n1:1", "n2:1"):
        book.register(token, address, 60, 0)
    assert book.list(token) == ["n1:1", "n2:1"]


def test_labels_are_told_only_to_those_who_ask(book, token):
    book.register(token, "n1:1 zone=a disk=ssd", 60, 0)
    assert book.list(token) == ["n1:1"]
    assert book.list(token, labels=True) == ["n1:1 zone=a disk=ssd"]


def test_an_engine_is_gone_after_its_time_unless_it_is_renewed(book, token):
    book.register(token, "n1:1", 60, 0)
    book.register(token, "n2:1", 60, 0)
    book.register(token, "n1:1", 60, 30)
    assert book.expire(59) == set()
    assert book.expire(60) == {token}
    assert book.list(token) == ["n1:1"]
    book.expire(90)
    assert book.list(token) == []


def test_an_engine_without_a_time_to_live_stays(book, token):
    book.register(token, "n1:1", 0, 0)
    book.expire(10**9)
    assert book.list(token) == ["n1:1"]


def test_a_renewal_is_no_change_and_new_labels_are(book, token):
    book.register(token, "n1:1", 60, 0)
    version = book.version(token)
    book.register(token, "n1:1", 60, 1)
    assert book.version(token) == version
    book.register(token, "n1:1 zone=a", 60, 2)
    assert book.version(token) != version


def test_what_was_kept_is_there_in_another_life():
    book = Book(clusters={"t": 0.0}, rows=[Row("t", "n1:1", "zone=a", 50.0, 60.0)])
    assert book.list("t", labels=True) == ["n1:1 zone=a"]
    book.expire(50)
    assert book.list("t") == []


# ---- what is refused


def test_limits_hold(book):
    first, _ = book.create(0), book.create(0)
    with pytest.raises(Unavailable, match="no more than 2 clusters"):
        book.create(0)
    for number in range(3):
        book.register(first, f"n{number}:1", 60, 0)
    with pytest.raises(Unavailable, match="no more than 3 engines"):
        book.register(first, "n9:1", 60, 0)
    book.register(first, "n1:1", 60, 1)


def test_a_cluster_without_engines_is_dropped_when_nobody_has_used_it(book):
    used, idle = book.create(0), book.create(0)
    book.register(used, "n1:1", 0, 0)
    assert book.drop_idle(101) == {idle}
    with pytest.raises(NotFound, match="no such token"):
        book.list(idle)


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
def test_what_is_no_engine_is_refused_and_shown(text):
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


def test_a_rate_of_nothing_is_no_limit():
    buckets = Buckets(0)
    assert all(buckets.take("a", 0) == 0 for _ in range(1000))
