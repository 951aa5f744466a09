"""A ticket ties a create, its client's pull and the create that follows."""

import pytest

from swarmcore.cluster.tickets import Ticket, Tickets


def ticket(number=1, *, client="c", image="docker.io/library/busybox:latest", name="", expires=9):
    return Ticket(client, image, name, f"n{number}", f"r{number}", pull_by=1, expires=expires)


def take(tickets, image="busybox", *, client="c", name="", pulled=("n1", "n2", "n3")):
    taken = tickets.take(client, image, name, lambda ticket: ticket.node_id in pulled)
    return taken and taken.reservation


@pytest.fixture
def tickets():
    return Tickets()


@pytest.mark.parametrize("image", ["busybox", "busybox:latest", "docker.io/library/busybox"])
def test_every_spelling_of_an_image_finds_its_ticket(tickets, image):
    tickets.put(ticket())
    assert [found.node_id for found in tickets.of("c", image)] == ["n1"]
    assert take(tickets, image) == "r1"
    assert take(tickets, image) is None


def test_tickets_of_one_look_are_taken_oldest_first(tickets):
    for number in (1, 2):
        tickets.put(ticket(number))
    assert [take(tickets), take(tickets), take(tickets)] == ["r1", "r2", None]


@pytest.mark.parametrize(
    "other",
    [{"client": "d"}, {"image": "alpine"}, {"name": "web"}],
    ids=lambda value: next(iter(value)),
)
def test_a_ticket_is_for_one_client_image_and_name(tickets, other):
    tickets.put(ticket())
    assert take(tickets, **other) is None
    assert len(tickets) == 1


def test_a_nameless_create_takes_no_ticket_whose_pull_is_not_done(tickets):
    for number in (1, 2):
        tickets.put(ticket(number))
    assert take(tickets, pulled=()) is None
    assert take(tickets, pulled=("n2",)) == "r2"


def test_a_named_create_takes_its_ticket_whether_it_pulled_or_not(tickets):
    tickets.put(ticket(name="web"))
    assert take(tickets, name="web", pulled=()) == "r1"


def test_tickets_expire(tickets):
    tickets.put(ticket(1, expires=9))
    tickets.put(ticket(2, expires=11))
    tickets.expire(10)
    assert [left.reservation for left in tickets.of("c")] == ["r2"]


def test_the_oldest_ticket_makes_room():
    tickets = Tickets(limit=2)
    assert tickets.put(ticket(1)) == tickets.put(ticket(2)) == []
    assert [old.reservation for old in tickets.put(ticket(3))] == ["r1"]
    assert len(tickets) == 2
