"""A pending pull connects a create, the client's pull and the second create."""

import pytest

from swarmcore.cluster.placement.reservations import PendingPull, PendingPulls


def pull(number=1, *, client="c", image="docker.io/library/busybox:latest", name="", expires=9):
    return PendingPull(client, image, name, f"n{number}", f"r{number}", pull_by=1, expires=expires)


def take(pulls, image="busybox", *, client="c", name="", pulled=("n1", "n2", "n3")):
    taken = pulls.take(client, image, name, lambda pull: pull.node_id in pulled)
    return taken and taken.reservation


@pytest.fixture
def pulls():
    return PendingPulls()


@pytest.mark.parametrize("image", ["busybox", "busybox:latest", "docker.io/library/busybox"])
def test_every_spelling_of_an_image_finds_its_pull(pulls, image):
    pulls.put(pull())
    assert [found.node_id for found in pulls.of("c", image)] == ["n1"]
    assert take(pulls, image) == "r1"
    assert take(pulls, image) is None


def test_pulls_of_one_look_are_taken_oldest_first(pulls):
    for number in (1, 2):
        pulls.put(pull(number))
    assert [take(pulls), take(pulls), take(pulls)] == ["r1", "r2", None]


@pytest.mark.parametrize(
    "other",
    [{"client": "d"}, {"image": "alpine"}, {"name": "web"}],
    ids=lambda value: next(iter(value)),
)
def test_a_pull_is_for_one_client_image_and_name(pulls, other):
    pulls.put(pull())
    assert take(pulls, **other) is None
    assert len(pulls) == 1


def test_a_nameless_create_takes_no_pull_whose_pull_is_not_done(pulls):
    for number in (1, 2):
        pulls.put(pull(number))
    assert take(pulls, pulled=()) is None
    assert take(pulls, pulled=("n2",)) == "r2"


def test_a_named_create_takes_its_pull_whether_it_pulled_or_not(pulls):
    pulls.put(pull(name="web"))
    assert take(pulls, name="web", pulled=()) == "r1"


def test_pulls_expire(pulls):
    pulls.put(pull(1, expires=9))
    pulls.put(pull(2, expires=11))
    pulls.expire(10)
    assert [left.reservation for left in pulls.of("c")] == ["r2"]


def test_the_oldest_pull_makes_room():
    pulls = PendingPulls(limit=2)
    assert pulls.put(pull(1)) == pulls.put(pull(2)) == []
    assert [old.reservation for old in pulls.put(pull(3))] == ["r1"]
    assert len(pulls) == 2
