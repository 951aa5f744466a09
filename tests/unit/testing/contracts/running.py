"""Runs contracts of plugins that are made by a test."""

import pytest

from swarmcore import hookimpl
from swarmcore.plugins.plugins import Plugins
from swarmcore.testing.contracts import FilterContract, StrategyContract


def run_contract(contract, tmp_path, parameters=(), *, hopeless=""):
    """Run every test of a contract; return the names of the tests that failed.

    *hopeless* names a test whose expected report never comes; it waits only briefly.
    """
    failed = set()
    for name in sorted(dir(contract)):
        if not name.startswith("test_") or name.endswith("installed_under_its_name"):
            continue
        instance = contract()
        if name == hopeless:
            instance.patience_seconds = 0.5
        test = getattr(instance, name)
        for mark in getattr(test, "pytestmark", ()):
            parameters = mark.args[1]
        arguments = test.__code__.co_varnames[1 : test.__code__.co_argcount]
        cases = [{}]
        if "tmp_path" in arguments:
            cases = [{"tmp_path": tmp_path}]
        elif "expression" in arguments:
            cases = [{"expression": each} for each in parameters]
        for case in cases:
            try:
                test(**case)
            except (Exception, pytest.fail.Exception):
                failed.add(name)
    return failed


class Loaded:
    """Replaces an installed plugin by an object with hooks."""

    plugin: object

    def load(self):
        plugins = Plugins()
        plugins.register(self.plugin, self.entry_point)
        return plugins


def strategy_contract(weigh, made=None, **attributes):
    class Strategy:
        name = "mine"

    Strategy.weigh = lambda self, config, node: weigh(config, node)

    class Plugin:
        @hookimpl
        def swarmcore_strategy(self):
            return made or Strategy()

    members = {"name": "mine", "plugin": Plugin(), **attributes}
    return type("Contract", (Loaded, StrategyContract), members)


def filter_contract(rules, **attributes):
    class Filter:
        name = "mine"

    Filter.rules = lambda self, config: rules(config)

    class Plugin:
        @hookimpl
        def swarmcore_filter(self):
            return Filter()

    members = {"name": "mine", "plugin": Plugin(), **attributes}
    return type("Contract", (Loaded, FilterContract), members)
