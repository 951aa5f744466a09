"""The order in which waiting creates are served, and when none may overtake any more."""

import pytest

from swarmcore.cluster.placement.queue import Entry, PriorityQueue


@pytest.fixture
def line():
    return PriorityQueue(limit=100)


def joined(line, *priorities):
    """Return one place for each of *priorities*, in the order of arrival."""
    places = [Entry(priority=each) for each in priorities]
    for place in places:
        line.join(place)
    return places


def test_creates_are_served_in_the_order_of_arrival(line):
    assert joined(line, 0, 0, 0) == list(line)


def test_a_higher_priority_is_served_before_earlier_creates(line):
    low, high, middle, high_again = joined(line, -1, 10, 0, 10)
    assert list(line) == [high, high_again, middle, low]


def test_the_others_keep_their_order_when_one_is_served_or_leaves(line):
    first, second, third = joined(line, 0, 0, 0)
    line.leave(second)
    line.leave(second)
    assert list(line) == [first, third]
    line.serve(first)
    assert list(line) == [third]
    assert third.overtaken == 0


def test_eight_may_overtake_and_then_one_is_starved(line):
    big, *small = joined(line, *[0] * 10)
    for place in small[:7]:
        line.serve(place)
    assert not big.is_starved
    line.serve(small[7])
    assert big.is_starved
    assert not small[8].is_starved


def test_only_earlier_creates_are_overtaken(line):
    first, second, third = joined(line, 0, 0, 0)
    line.serve(second)
    assert (first.overtaken, third.overtaken) == (1, 0)


def test_the_queue_is_full_at_its_limit():
    line = PriorityQueue(limit=2)
    joined(line, 0)
    assert not line.is_full
    joined(line, 0)
    assert line.is_full


def test_creates_may_leave_during_an_iteration(line):
    places = joined(line, 0, 0, 0)
    seen = []
    for place in line:
        seen.append(place)
        line.leave(places[1])
    assert seen == places
