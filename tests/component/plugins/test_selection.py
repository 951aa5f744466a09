"""The plugins that a manager and the command line load, by their options."""

import logging

import pytest

from swarmcore.errors import (
    ConfigError,
    PluginConflict,
    PluginNotFound,
)
from swarmcore.plugins.selection import select_plugins
from tests.component.plugins.site import (
    DEFAULT_FILTERS,
    DISCOVERY,
    FILTER,
    STRATEGY,
    filters_of,
    options,
)

# ---- selection


def test_the_defaults_are_classic_s_and_platform(acme):
    acme.install_defaults()
    plugins = select_plugins(options())
    assert filters_of(plugins) == DEFAULT_FILTERS
    assert plugins.strategy().name == "acme_strategy_spread"
    assert plugins.implementers("swarmcore_routes") == ["api_docker"]


def test_a_named_filter_replaces_the_chain_in_the_order_given(acme):
    acme.install_defaults()
    assert filters_of(select_plugins(options(filters=("port", "health", "port")))) == [
        "port",
        "health",
    ]
    both = options(plugins=("filter_affinity",), filters=("health",))
    assert filters_of(select_plugins(both)) == ["affinity", "health"]


def test_a_filter_of_a_plugin_or_with_a_plus_is_added_to_the_default_chain(acme):
    acme.install_defaults()
    acme.install("filter_rack", FILTER)
    plugged = filters_of(select_plugins(options(plugins=("filter_rack",))))
    assert plugged == ["rack", *DEFAULT_FILTERS]
    added = filters_of(select_plugins(options(filters=("+rack",))))
    assert added == [*DEFAULT_FILTERS, "rack"]
    assert filters_of(select_plugins(options(filters=("+rack", "health")))) == ["health", "rack"]


@pytest.mark.parametrize("how", ["entry point", "module", "file"])
def test_a_plugin_that_brings_a_strategy_replaces_the_default(acme, how):
    acme.install_defaults()
    acme.install("strategy_quiet")
    name = {
        "entry point": "strategy_quiet",
        "module": "acme_strategy_quiet",
        "file": str(acme.folder / "acme_strategy_quiet.py"),
    }[how]
    plugins = select_plugins(options(plugins=(name,)))
    assert plugins.implementers("swarmcore_strategy") == [name]
    assert filters_of(plugins) == DEFAULT_FILTERS


def test_two_named_strategies_are_a_conflict(acme):
    acme.install_defaults()
    acme.install("strategy_quiet")
    plugins = select_plugins(options(plugins=("strategy_quiet",), strategy="spread"))
    with pytest.raises(PluginConflict, match=r"'strategy_quiet' .* and 'strategy_spread' "):
        plugins.strategy()


def test_classic_s_other_name_is_understood(acme):
    acme.install_defaults()
    acme.install("strategy_binpack")
    plugins = select_plugins(options(strategy="binpacking"))
    assert plugins.strategy().name == "acme_strategy_binpack"


@pytest.mark.parametrize("name", ["quiet", "/quiet.py", ""])
def test_a_strategy_is_an_installed_one_and_never_a_module_or_a_file(acme, monkeypatch, name):
    acme.install_defaults()
    acme.module("strategy_quiet", STRATEGY)
    acme.folder.joinpath("strategy_").mkdir()
    acme.module("strategy_/quiet", STRATEGY)
    monkeypatch.chdir(acme.folder)
    with pytest.raises(PluginNotFound, match=f"no plugin is called 'strategy_{name}'; "):
        select_plugins(options(strategy=name))


@pytest.mark.parametrize("discovery", ["n1:1", "nodes://n1:1", "ssh://n1"])
def test_a_list_of_engines_is_the_nodes_discovery(acme, discovery):
    acme.install_defaults()
    chosen = options(discovery)
    found = select_plugins(chosen).discovery(chosen.discovery, chosen.discovery_options)
    assert found.name == "acme_discovery_nodes"


def test_a_discovery_is_loaded_by_its_scheme_up_to_the_plus(acme):
    acme.install_defaults()
    acme.install("discovery_http", DISCOVERY.replace("SCHEME", "http+sd"))
    chosen = options("http+sd://h/x")
    plugins = select_plugins(chosen)
    assert plugins.implementers("swarmcore_discovery") == ["discovery_http"]
    assert plugins.discovery(chosen.discovery, chosen.discovery_options)


def test_a_discovery_of_another_name_may_answer_when_it_is_named(acme):
    acme.install_defaults()
    acme.install("discovery_rack", DISCOVERY.replace("SCHEME", "shelf"))
    chosen = options("shelf://a", plugins=("discovery_rack",))
    assert select_plugins(chosen).discovery(chosen.discovery, chosen.discovery_options)


def test_an_unknown_scheme_lists_the_installed_discoveries(acme):
    acme.install_defaults()
    acme.install("discovery_rack", DISCOVERY.replace("SCHEME", "rack"))
    chosen = options("hub://a")
    plugins = select_plugins(chosen)
    with pytest.raises(
        PluginNotFound,
        match=r"'hub://a'; installed: discovery_nodes, discovery_rack$",
    ):
        plugins.discovery(chosen.discovery, chosen.discovery_options)


def test_a_default_can_be_left_out(acme):
    acme.install_defaults()
    plugins = select_plugins(options(without=("filter_port", "api_docker")))
    assert filters_of(plugins) == [name for name in DEFAULT_FILTERS if name != "port"]
    assert plugins.implementers("swarmcore_routes") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"without": ("api_dokcer",)},
            "'api_dokcer'; did you mean api_docker?",
        ),
        ({"without": ("strategy_spread",)}, "leaves no strategy; name one with --strategy"),
        (
            {"without": ("api_docker",), "plugins": ("api_docker",)},
            "--plugin api_docker and --without api_docker contradict each other",
        ),
        ({"replication": True}, "--replication: no loaded plugin elects a leader for nodes://"),
    ],
    ids=["unknown", "no strategy", "contradiction", "no election"],
)
def test_options_that_leave_nothing_to_run_are_one_line(acme, changes, message):
    acme.install_defaults()
    with pytest.raises(ConfigError, match=message):
        select_plugins(options(**changes))


# ---- weighers


WEIGHER = """
from swarmcore import hookimpl
from swarmcore.protocols import Weigher

@hookimpl
def swarmcore_weigher(options):
    return Weigher("quiet", 1.0, lambda config, candidates, nodes: [0.0] * len(candidates))
"""


def test_a_weigher_is_loaded_where_its_weight_is_set(acme):
    acme.install_defaults()
    acme.install("weigher_quiet", WEIGHER)
    assert select_plugins(options()).weighers() == []
    plugins = select_plugins(options(multipliers={"quiet": 2.0}))
    assert [weigher.name for weigher in plugins.weighers()] == ["quiet"]


def test_two_weighers_of_one_name_are_a_conflict(acme):
    acme.install_defaults()
    acme.install("weigher_quiet", WEIGHER)
    acme.install("ext_quiet", WEIGHER)
    plugins = select_plugins(options(multipliers={"quiet": 2.0}))
    with pytest.raises(PluginConflict, match=r"the weigher 'quiet': 'weigher_quiet' .*ext_quiet"):
        plugins.weighers()


# ---- the command


def test_a_command_of_a_plugin_runs_and_a_broken_plugin_does_not_hide_it(acme, capsys, caplog):
    from swarmcore.cli import main

    acme.install("ext_broken", "raise SystemExit")
    acme.install(
        "ext_hub",
        """
        from swarmcore import hookimpl
        from swarmcore.command_line import Command, Option, Usage

        @hookimpl
        def swarmcore_commands():
            options = [Option("port", "where", kind="number", default=("9",))]
            return [Command(Usage("acme", "serve", "NAME", options, aliases=("a",)), run)]

        def run(call):
            print(call.settings()["port"].value, *call.words)
            return 5
        """,
    )
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        assert main(["acme", "--port", "7", "x"]) == 5
        assert capsys.readouterr().out == "7 x\n"
        assert main(["a"]) == 5
        assert capsys.readouterr().out == "9\n"
        assert main(["acme", "--help"]) == 0
        assert capsys.readouterr().out.startswith("Usage: swarmcore acme [OPTIONS] NAME\n")
        assert main(["acme", "--nosuch"]) == 1
        error = capsys.readouterr().err
        assert "unknown option '--nosuch'; see 'swarmcore acme --help'" in error
        assert main(["nosuch"]) == 1
        error = capsys.readouterr().err
        assert "swarmcore: no command is called 'nosuch'; commands: " in error
        assert " acme, " in error
    finally:
        root.handlers[:], root.level = handlers, level
