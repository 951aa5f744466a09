"""Loading from real metadata: fake distributions on the path, whole and broken ones."""

import json
import logging
import sys
import textwrap
from importlib.metadata import distributions

import pytest

from swarmcore.errors import (
    ConfigError,
    PluginBroken,
    PluginConflict,
    PluginError,
    PluginMisfit,
    PluginNotFound,
)
from swarmcore.options import Options, parse_discovery
from swarmcore.plugins.catalogue import GROUP, PluginInfo, find, installed
from swarmcore.plugins.inspection import as_json, as_table, inspect_installed
from swarmcore.plugins.plugins import Plugins
from swarmcore.plugins.route_listing import installed_routes, routes_as_json, routes_as_table
from swarmcore.plugins.selection import select_plugins

DEFAULT_FILTERS = [
    *("health", "port", "containerslots", "dependency", "affinity", "constraint", "whitelist"),
    "platform",
]
STRATEGY = """
    from types import SimpleNamespace
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_strategy():
        return SimpleNamespace(name=__name__, weigh=lambda config, node: [0])
"""
FILTER = """
    from types import SimpleNamespace
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_filter():
        return SimpleNamespace(name=__name__, rules=lambda config: [])
"""
SHELVES = """
    from swarmcore import hookimpl
    from swarmcore.protocols import Route

    @hookimpl
    def swarmcore_routes():
        async def show(exchange):
            pass

        yield Route("GET", "/acme/shelves", show, routed="the caches", rewrites="filter node")
        yield Route("POST", "/acme/shelves/{name}", show)
"""
DISCOVERY = """
    from types import SimpleNamespace
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_discovery(uri):
        return SimpleNamespace(watch=None, name=__name__) if uri.scheme == "SCHEME" else None
"""
ROUTES = """
    from swarmcore import hookimpl

    @hookimpl
    def swarmcore_routes():
        return []
"""
BROKEN = {
    "missing": ("import nosuchlibrary", PluginBroken, "ModuleNotFoundError"),
    "exits": ("raise SystemExit(7)", PluginBroken, r"SystemExit\(7\)"),
    "asserts": ("assert False, 'no\\nway'", PluginBroken, r"AssertionError\('no\\nway'\)"),
    "syntax": ("def", PluginBroken, "SyntaxError"),
    "empty": ("", PluginMisfit, "implements no hook"),
    "typo": (ROUTES.replace("_routes", "_route"), PluginMisfit, "unknown hook 'swarmcore_route'"),
    "argument": (
        FILTER.replace("filter()", "filter(nodes)"),
        PluginMisfit,
        r"does not fit this core: .*'nodes'",
    ),
    "other kind": (ROUTES, PluginMisfit, "does not implement swarmcore_strategy"),
    "coroutine": (FILTER.replace("def ", "async def "), PluginMisfit, "is async"),
}


class Site:
    """A folder on the path that holds the only distributions there are."""

    def __init__(self, folder):
        self.folder = folder

    def module(self, name, text):
        path = self.folder / f"{name}.py"
        path.write_text(textwrap.dedent(text))
        return path

    def install(self, name, text=STRATEGY, distribution=None, version="1.0", target=None):
        """One distribution with one entry point; its module is called as its target."""
        distribution = distribution or f"acme-{name.replace('_', '-')}"
        target = target or f"acme_{name}"
        self.module(target, text)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        info.joinpath("entry_points.txt").write_text(f"[swarmcore.plugins]\n{name} = {target}\n")
        return info

    def install_defaults(self):
        self.install("strategy_spread")
        for name in DEFAULT_FILTERS:
            self.install(f"filter_{name}", FILTER)
        self.install("discovery_nodes", DISCOVERY.replace("SCHEME", "nodes"))
        self.install("api_docker", ROUTES)


def brings_plugins(distribution):
    return any(point.group == GROUP for point in distribution.entry_points)


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A site where nothing is installed but what the test installs."""
    packages = {str(found.locate_file("")) for found in distributions() if brings_plugins(found)}
    kept = [entry for entry in sys.path if entry not in packages]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *kept])
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def options(discovery="n1:1", **changes):
    return Options(parse_discovery(discovery), **changes)


def filters_of(plugins):
    return [each.name.removeprefix("acme_filter_") for each in plugins.filters({})]


# ---- what is installed


def test_what_is_installed_is_told_without_importing_it(acme):
    acme.install("strategy_x", "raise SystemExit", version="9.9")
    (info,) = installed()
    assert info == PluginInfo("strategy_x", "acme-strategy-x", "9.9", "acme_strategy_x")
    assert info.kind == "strategy"
    assert str(info) == "'strategy_x' (acme-strategy-x 9.9, acme_strategy_x)"
    assert "acme_strategy_x" not in sys.modules


def test_what_was_renamed_a_moment_ago_is_seen(acme):
    acme.install("strategy_x").joinpath("entry_points.txt").write_text(
        "[swarmcore.plugins]\nstrategy_y = acme_strategy_x\n"
    )
    plugins = Plugins()
    plugins.load(["strategy_y"])
    assert plugins.strategy({}).name == "acme_strategy_x"


def test_a_damaged_distribution_hides_no_other(acme):
    acme.install("strategy_x").joinpath("METADATA").unlink()
    acme.install("strategy_y")
    assert [info.name for info in installed()] == ["strategy_x", "strategy_y"]


def test_an_unknown_name_lists_the_known_ones(acme):
    with pytest.raises(PluginNotFound, match="none is installed; 'pip install"):
        find("strategy_nosuch")
    acme.install("strategy_b")
    acme.install("filter_a", FILTER)
    with pytest.raises(
        PluginNotFound,
        match=r"^no plugin is called 'strategy_nosuch'; installed: filter_a, strategy_b$",
    ):
        Plugins().load(["strategy_nosuch"])


def test_two_distributions_that_claim_one_name_are_both_named(acme):
    acme.install("strategy_a", distribution="one", version="1")
    acme.install("strategy_b", distribution="between")
    acme.install("strategy_a", distribution="two", version="2")
    with pytest.raises(PluginConflict, match=r"'strategy_a' \(one 1, .*'strategy_a' \(two 2, "):
        Plugins().load(["strategy_a"])
    Plugins().load(["strategy_b"])
    problems = {row.info.distribution: row.problem[:11] for row in inspect_installed()}
    assert problems == {"one": "two plugins", "two": "two plugins", "between": ""}


# ---- broken ones


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_that_is_selected_is_one_line_with_its_origin(acme, fault):
    text, kind, why = BROKEN[fault]
    acme.install("strategy_x", text, version="9.9.9")
    with pytest.raises(kind, match=why) as caught:
        select_plugins(options(strategy="x"))
    message = str(caught.value)
    assert "'strategy_x' (acme-strategy-x 9.9.9, acme_strategy_x)" in message
    assert "\n" not in message


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_that_is_not_selected_is_never_imported(acme, fault):
    acme.install_defaults()
    acme.install("strategy_x", BROKEN[fault][0])
    assert "strategy_x" not in select_plugins(options()).names
    assert "acme_strategy_x" not in sys.modules


@pytest.mark.parametrize("fault", sorted(BROKEN.keys() - {"other kind"}))
def test_a_broken_plugin_that_loads_by_itself_can_be_left_out(acme, fault):
    acme.install_defaults()
    acme.install("ext_x", BROKEN[fault][0])
    with pytest.raises(PluginError, match=r"'ext_x' .*; leave it out with --without ext_x$"):
        select_plugins(options())
    assert "ext_x" not in select_plugins(options(without=("ext_x",))).names


def test_the_listing_goes_on_after_every_kind_of_fault(acme):
    for fault, (text, _, _) in BROKEN.items():
        acme.install(f"strategy_{fault.replace(' ', '')}", text)
    acme.install("filter_good", FILTER)
    rows = {row.info.name: row for row in inspect_installed()}
    assert list(rows["filter_good"].hooks) == ["swarmcore_filter"]
    assert [name for name, row in rows.items() if not row.problem] == ["filter_good"]
    assert len(rows) == len(BROKEN) + 1
    assert rows["strategy_exits"].problem == "SystemExit(7)"
    assert (
        rows["strategy_missing"].problem
        == "ModuleNotFoundError(\"No module named 'nosuchlibrary'\")"
    )


def test_the_listing_is_a_table_for_people_and_json_for_scripts(acme):
    acme.install("strategy_x", "import nosuchlibrary", version="9.9.9")
    acme.install("filter_affinity", FILTER, version="0.2.1")
    rows = inspect_installed()
    assert as_table(rows).splitlines() == [
        "filter_affinity   acme-filter-affinity   0.2.1   ok       swarmcore_filter",
        "strategy_x        acme-strategy-x        9.9.9   BROKEN   "
        "ModuleNotFoundError(\"No module named 'nosuchlibrary'\")",
    ]
    assert json.loads(as_json(rows))[0] == {
        "name": "filter_affinity",
        "kind": "filter",
        "distribution": "acme-filter-affinity",
        "version": "0.2.1",
        "target": "acme_filter_affinity",
        "hooks": ["swarmcore_filter"],
        "problem": "",
    }
    assert as_table([]).startswith("none is installed; ")


def test_the_routes_of_all_that_is_installed_are_listed_with_who_is_asked(acme):
    acme.install("api_shelf", SHELVES)
    routes = installed_routes()
    assert routes_as_table(routes).splitlines() == [
        "GET    /acme/shelves          api_shelf   the caches   filter node",
        "POST   /acme/shelves/{name}   api_shelf",
    ]
    assert json.loads(routes_as_json(routes))[0] == {
        "plugin": "api_shelf",
        "method": "GET",
        "path": "/acme/shelves",
        "routed": "the caches",
        "rewrites": "filter node",
    }


# ---- modules and files


def test_a_module_and_a_file_are_plugins_too(acme):
    acme.module("acme_rules", FILTER)
    file = acme.module("my_strategy", STRATEGY)
    plugins = Plugins()
    plugins.load(["acme_rules", str(file)])
    assert filters_of(plugins) == ["acme_rules"]
    assert plugins.strategy({}).name == "swarmcore_file_my_strategy"


def test_a_file_is_found_from_the_working_folder(acme, monkeypatch):
    acme.module("my_filter", FILTER)
    monkeypatch.chdir(acme.folder)
    plugins = Plugins()
    plugins.load(["./my_filter.py", "my_filter.py"])
    assert plugins.names == ["./my_filter.py", "my_filter.py"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nosuch.py", "no plugin file './nosuch.py': /.*/nosuch.py is not a file"),
        ("/", "no plugin file '/'"),
        ("./notes.txt", "its name must end in .py"),
        ("acme.nosuch", "no plugin is called 'acme.nosuch'; none is installed"),
        ("nosuch", "no plugin is called 'nosuch'"),
        ("", "no plugin is called ''"),
        (".x", "no plugin is called '.x'"),
    ],
)
def test_what_is_neither_installed_nor_importable_nor_a_file_says_so(
    acme, monkeypatch, name, message
):
    acme.folder.joinpath("notes.txt").touch()
    monkeypatch.chdir(acme.folder)
    with pytest.raises(PluginNotFound, match=message):
        Plugins().load([name])


def test_a_broken_file_and_a_broken_module_are_named(acme):
    file = acme.module("broken", "import nosuchlibrary")
    with pytest.raises(PluginBroken, match=f"cannot import plugin '{file}'.*nosuchlibrary"):
        Plugins().load([str(file)])
    with pytest.raises(PluginBroken, match=r"cannot import plugin 'broken': .*nosuchlibrary"):
        Plugins().load(["broken"])


# ---- selection


def test_the_defaults_are_classic_s_and_platform(acme):
    acme.install_defaults()
    plugins = select_plugins(options())
    assert filters_of(plugins) == DEFAULT_FILTERS
    assert plugins.strategy({}).name == "acme_strategy_spread"
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
        plugins.strategy({})


def test_classic_s_other_name_is_understood(acme):
    acme.install_defaults()
    acme.install("strategy_binpack")
    plugins = select_plugins(options(strategy="binpacking"))
    assert plugins.strategy({}).name == "acme_strategy_binpack"


@pytest.mark.parametrize("name", ["quiet", "/quiet.py", ""])
def test_a_strategy_is_an_installed_one_and_never_a_module_or_a_file(acme, monkeypatch, name):
    acme.install_defaults()
    acme.module("strategy_quiet", STRATEGY)
    acme.folder.joinpath("strategy_").mkdir()
    acme.module("strategy_/quiet", STRATEGY)
    monkeypatch.chdir(acme.folder)
    with pytest.raises(PluginNotFound, match=f"no plugin is called 'strategy_{name}'; installed:"):
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
        ({"without": ("api_dokcer",)}, "no plugin is called 'api_dokcer'; installed: api_docker"),
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
    assert select_plugins(options()).weighers({}) == []
    plugins = select_plugins(options(multipliers={"quiet": 2.0}))
    assert [weigher.name for weigher in plugins.weighers({})] == ["quiet"]


def test_two_weighers_of_one_name_are_a_conflict(acme):
    acme.install_defaults()
    acme.install("weigher_quiet", WEIGHER)
    acme.install("ext_quiet", WEIGHER)
    plugins = select_plugins(options(multipliers={"quiet": 2.0}))
    with pytest.raises(PluginConflict, match=r"the weigher 'quiet': 'weigher_quiet' .*ext_quiet"):
        plugins.weighers({})


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
