"""Intervals grow as classic's do, and recovery is quick."""

from random import Random

import pytest

from swarmcore.engine.intervals import Pace


class Middle(Random):
    """A random source without chance."""

    def random(self):
        return 0.5

    def uniform(self, a, b):
        return b


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 45), (3, 45), (4, 75), (5, 105), (5000, 30 * 1001 + 15)]
)
def test_the_refresh_interval_grows_with_failures_above_the_limit(failures, seconds):
    assert Pace().until_refresh(failures, Middle()) == seconds


def test_a_minimum_above_the_maximum_does_not_shorten_the_interval():
    pace = Pace(refresh_min_seconds=50, refresh_max_seconds=10)
    assert pace.until_refresh(0, Middle()) == 50


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (10_000, 30)]
)
def test_an_engine_never_seen_healthy_is_tried_ever_less_often_up_to_a_limit(attempts, seconds):
    assert Pace().until_retry(attempts, known=False, random=Middle()) == seconds


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (3, 1), (4, 2), (5, 4), (6, 5), (10_000, 5)]
)
def test_a_known_engine_is_tried_quickly_until_it_counts_as_unhealthy(attempts, seconds):
    assert Pace().until_retry(attempts, known=True, random=Middle()) == seconds


def test_a_hung_engine_is_noticed_within_fifteen_seconds_by_default():
    pace = Pace()
    each = pace.suspicious_seconds + pace.ping_seconds
    longest = pace.until_probe(Middle()) + pace.failure_limit * each
    assert longest < 15
