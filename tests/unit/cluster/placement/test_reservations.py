"""A reservation counts from its creation, and ends exactly once."""

import pytest

from swarmcore.cluster.placement.reservations import Reservations
from swarmcore.model import GiB, State
from swarmcore.names import NameIndex
from swarmcore.testing.builders import a_config, a_node


@pytest.fixture
def node():
    return a_node("n1")


@pytest.fixture
def index():
    return NameIndex()


@pytest.fixture
def reservations(index):
    return Reservations(index)


@pytest.fixture
def made(reservations, node):
    config = a_config(name="web", memory=GiB, ports=["80:80"]).with_swarm_id("S")
    return reservations.make(config, node)


def test_a_reservation_holds_its_name_and_its_claim(made, index, node):
    assert index.holder("web") == "S"
    assert node.used_memory == GiB
    assert node.container_count == 1


def test_ending_frees_both_and_may_be_repeated(made, reservations, index, node):
    reservations.end("S")
    reservations.end("S")
    assert index.holder("web") is None
    assert (node.used_memory, node.container_count, len(reservations)) == (0, 0, 0)


def test_a_reservation_does_not_expire_while_it_is_in_use(made, reservations, node):
    reservations.expire(1e12)
    assert node.container_count == 1


def test_it_expires_when_it_was_given_a_time(made, reservations, index, node):
    reservations.keep_until("S", 100)
    reservations.expire(99)
    assert "S" in reservations
    reservations.expire(100)
    assert "S" not in reservations
    assert index.holder("web") is None
    assert node.used_memory == 0


def test_its_name_may_be_freed_and_its_claim_kept(made, reservations, index, node):
    reservations.free_name("S")
    assert index.holder("web") is None
    assert node.used_memory == GiB
    index.reserve("web", "T")
    reservations.end("S")
    assert index.holder("web") == "T"


@pytest.mark.parametrize("exists", [True, False])
def test_a_reservation_with_an_unknown_outcome_waits_for_its_engine(
    made, reservations, node, exists
):
    reservations.await_engine("S", 0, exists=exists)
    node.state = State.UNHEALTHY
    assert reservations.expire(1000) == []
    node.state = State.HEALTHY
    assert reservations.expire(1059) == []
    ended = reservations.expire(1060)
    assert "S" not in reservations
    assert [each.id for each in ended] == ([] if exists else ["S"])
