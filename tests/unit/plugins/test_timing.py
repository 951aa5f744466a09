"""The time of hook calls: slow ones are named, and all can be traced."""

import logging
from types import SimpleNamespace

import pytest

from swarmcore import hookimpl
from swarmcore.http.messages import Client, Query, Request
from swarmcore.plugins.plugins import Plugins

REQUEST = Request("GET", "/info", "/info", Query(), None, (), Client("unix"))


class Module(SimpleNamespace):
    """Replaces a plugin's module; equal only to itself."""

    __eq__, __hash__ = object.__eq__, object.__hash__


def plugin(**hooks):
    """Return a module that implements each hook with the given function."""
    return Module(**{name: hookimpl(hook) for name, hook in hooks.items()})


def plugins_of(**named):
    """Return a set of plugins, loaded in the order given."""
    plugins = Plugins()
    for name, each in named.items():
        plugins.register(each, name)
    return plugins


@pytest.fixture
def slow_hook(monkeypatch):
    """A hook that takes as many seconds as its plugin has, by a clock of the test's own."""
    now = [100.0]
    monkeypatch.setattr("swarmcore.clock.stopwatch", lambda: now[0])

    def taking(seconds, result=None):
        def hook():
            now[0] += seconds
            if isinstance(result, Exception):
                raise result
            return result

        return hook

    return taking


@pytest.mark.parametrize("error", [None, RuntimeError("late")])
def test_a_notification_that_takes_a_second_is_named(slow_hook, caplog, error):
    plugins = plugins_of(
        quick=plugin(swarmcore_stopping=slow_hook(0.9)),
        slow=plugin(swarmcore_stopping=slow_hook(1.5, error)),
    )
    plugins.stopping(None)
    told = [record.getMessage() for record in caplog.records if "took" in record.getMessage()]
    assert told == ["plugin 'slow' took 1.5 s in swarmcore_stopping; all requests waited"]


def test_an_authorization_and_a_departure_that_take_a_second_are_named(slow_hook, caplog):
    plugins = plugins_of(
        a=plugin(swarmcore_authorize=slow_hook(2)),
        d=plugin(swarmcore_engine_departed=slow_hook(3, 5.0)),
    )
    assert plugins.authorize(REQUEST) is None
    assert plugins.seconds_to_stay(None) == 5
    assert [record.getMessage() for record in caplog.records] == [
        "plugin 'a' took 2.0 s in swarmcore_authorize; all requests waited",
        "plugin 'd' took 3.0 s in swarmcore_engine_departed; all requests waited",
    ]


@pytest.mark.parametrize("tracing", ["", "1"])
def test_plugins_and_the_time_of_their_calls_can_be_traced(monkeypatch, slow_hook, caplog, tracing):
    monkeypatch.setenv("SWARMCORE_TRACE_PLUGINS", tracing)
    with caplog.at_level(logging.INFO):
        plugins = plugins_of(a=plugin(swarmcore_stopping=slow_hook(0.25)))
        plugins.stopping(None)
    wanted = ["plugin 'a' implements swarmcore_stopping"]
    wanted += ["plugin 'a': swarmcore_stopping took 250.000 ms"]
    assert [record.getMessage() for record in caplog.records] == (wanted if tracing else [])
