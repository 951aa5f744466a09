"""Requests and bytes are counted by kind while they are in progress."""

from types import SimpleNamespace

import pytest

from swarmcore.errors import Conflict
from swarmcore.gateway import Meter
from swarmcore.http.server import ClientGone
from swarmcore.protocols import Traffic


class Carried(SimpleNamespace):
    __hash__ = object.__hash__


@pytest.fixture
def carried():
    return Carried(status=0, received=0, sent=0)


def test_requests_in_progress_count_from_their_start(carried):
    meter = Meter()
    with meter.count("events", carried):
        carried.status, carried.sent, carried.received = 200, 5, 2
        assert meter.traffic() == {"events": Traffic(1, {}, 2, 5)}
        carried.sent = 9
    assert meter.traffic() == {"events": Traffic(0, {200: 1}, 2, 9)}


@pytest.mark.parametrize(
    ("error", "status", "counted"),
    [
        (Conflict("taken"), 0, 409),
        (ValueError("a plugin's"), 0, 500),
        (ExceptionGroup("in a nursery", [Conflict("taken")]), 0, 409),
        (ClientGone(), 0, 499),
        (ClientGone(), 200, 200),
        (KeyboardInterrupt(), 0, 499),
    ],
    ids=repr,
)
def test_an_error_counts_with_the_clients_status(carried, error, status, counted):
    meter, carried.status = Meter(), status
    with pytest.raises(type(error)), meter.count("containers", carried):
        raise error
    assert meter.traffic()["containers"].answered == {counted: 1}


def test_concurrent_requests_are_counted_separately(carried):
    meter = Meter()
    with meter.count("exec", carried), meter.count("exec", Carried(status=0, received=0, sent=0)):
        assert meter.traffic()["exec"].under_way == 2
