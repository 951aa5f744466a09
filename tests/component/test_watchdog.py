"""A plugin that does not return is named, its create fails, and the next create works."""

import logging
import threading
import time

import pytest

from swarmcore.protocols import Rule
from swarmcore.scheduler import DecisionProgress, PlacementFailed, Scheduler
from swarmcore.testing.builders import a_config, a_decision, a_node
from swarmcore.watchdog import PluginHangs, Watchdog, watch_decisions


def loops():
    while True:
        pass


def sleeps():
    time.sleep(60)


class Plugin:
    """A filter or a strategy that does not return for given configs."""

    name = "odd"

    def __init__(self, place="", how=loops):
        self.place, self._how = place, how

    def rules(self, config):
        self._stay("rules")
        return [Rule("odd", self._check)]

    def _check(self, node):
        self._stay("check")

    def weigh(self, config, node):
        self._stay("weigh")
        return (1,)

    def _stay(self, place):
        if place == self.place:
            self._how()


@pytest.mark.parametrize("how", [loops, sleeps])
@pytest.mark.parametrize(
    ("place", "named"), [("rules", "filter"), ("check", "filter"), ("weigh", "strategy")]
)
def test_a_hanging_plugin_is_interrupted_and_the_next_create_works(place, named, how, caplog):
    plugin = Plugin(place, how)
    scheduler = Scheduler(plugin, [plugin])
    with watch_decisions(scheduler.progress, slow_seconds=0.02, longest_seconds=0.2):
        with pytest.raises((PlacementFailed, PluginHangs), match=f"{named} odd .*not return"):
            a_decision(scheduler, a_config(), [a_node()])
        plugin.place = ""
        assert a_decision(scheduler, a_config(), [a_node()]).node.name == "n1"
    said = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert said[0][0] == logging.WARNING
    assert said[0][1].startswith(f"{named} odd has been placing a container for ")
    assert said[0][1].endswith(" s; all other requests wait")
    assert said[1][0] == logging.ERROR
    assert said[1][1].startswith(f"{named} odd has not returned for ")


def test_outside_of_the_main_thread_a_hanging_plugin_is_only_named(caplog):
    def wait_until_named():
        ends = time.monotonic() + 60
        while not caplog.records and time.monotonic() < ends:
            time.sleep(0.01)

    plugin = Plugin("check", wait_until_named)
    scheduler = Scheduler(plugin, [plugin])
    placed = []

    def place():
        with watch_decisions(scheduler.progress, slow_seconds=0.02):
            placed.append(a_decision(scheduler, a_config(), [a_node()]).node.name)

    thread = threading.Thread(target=place)
    thread.start()
    thread.join()
    assert placed == ["n1"]
    assert "filter odd has been placing" in caplog.records[0].getMessage()


# ---- what is slow


@pytest.fixture
def progress():
    return DecisionProgress(number=1, kind="filter", name="odd")


@pytest.fixture
def watch(progress):
    return Watchdog(progress, slow_seconds=1, longest_seconds=10)


def test_a_slow_decision_is_logged_once_and_then_overdue(watch, caplog):
    assert [watch.look(now) for now in (5, 5.9, 6, 7, 14.9, 15, 15.25)] == [False] * 5 + [True] * 2
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.ERROR, logging.ERROR]


def test_many_decisions_one_after_the_other_are_not_a_slow_one(progress, watch, caplog):
    for now in range(100):
        assert not watch.look(now)
        progress.number += 1
    assert caplog.records == []


def test_a_manager_that_decides_nothing_is_not_slow(progress, watch, caplog):
    progress.name = ""
    assert not any(watch.look(now) for now in range(100))
    assert caplog.records == []


def test_only_the_decision_that_is_overdue_is_interrupted(progress, watch):
    watch.look(0)
    watch.interrupt(0, None)
    assert watch.look(10)
    with pytest.raises(PluginHangs, match="filter odd did not return for 10 s"):
        watch.interrupt(0, None)
    progress.number += 1
    watch.interrupt(0, None)
