"""Plugins are loaded from real metadata: fake distributions on the path, valid and broken."""

import json
import sys
from collections import Counter
from importlib.metadata import PathDistribution

import pytest

from swarmcore.cli import main
from swarmcore.errors import (
    PluginBroken,
    PluginConflict,
    PluginError,
    PluginMisfit,
    PluginNotFound,
)
from swarmcore.plugins.catalogue import PluginInfo, find, installed
from swarmcore.plugins.inspection import as_json, as_table, inspect_installed
from swarmcore.plugins.plugins import Plugins
from swarmcore.plugins.route_listing import installed_routes, routes_as_json, routes_as_table
from swarmcore.plugins.selection import select_plugins
from tests.component.plugins.site import (
    FILTER,
    ROUTES,
    SHELVES,
    STRATEGY,
    filters_of,
    options,
)

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


# ---- what is installed


def test_installed_plugins_are_listed_without_importing_them(acme):
    acme.install("strategy_x", "raise SystemExit", version="9.9")
    (info,) = installed()
    assert info == PluginInfo("strategy_x", "acme-strategy-x", "9.9", "acme_strategy_x")
    assert info.kind == "strategy"
    assert str(info) == "'strategy_x' (acme-strategy-x 9.9, acme_strategy_x)"
    assert "acme_strategy_x" not in sys.modules


def test_a_recent_rename_is_seen(acme):
    acme.install("strategy_x").joinpath("entry_points.txt").write_text(
        "[swarmcore.plugins]\nstrategy_y = acme_strategy_x\n"
    )
    plugins = Plugins()
    plugins.load(["strategy_y"])
    assert plugins.strategy().name == "acme_strategy_x"


def test_a_start_reads_the_metadata_of_packages_once(monkeypatch):
    read = Counter()
    original = PathDistribution.read_text

    def counted(self, filename):
        read[str(self._path), filename] += 1
        return original(self, filename)

    monkeypatch.setattr(PathDistribution, "read_text", counted)
    select_plugins(options())
    lists = {path: count for (path, name), count in read.items() if name == "entry_points.txt"}
    assert lists
    assert set(lists.values()) == {1}


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


def test_the_routes_of_all_installed_plugins_are_listed_with_their_notes(acme):
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
    assert plugins.strategy().name == "swarmcore_file_my_strategy"


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
def test_an_unknown_plugin_is_an_error(acme, monkeypatch, name, message):
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


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("api_x", 1),
        ("ext_x", 1),
        ("filter_health", 1),
        ("strategy_spread", 1),
        ("filter_x", 0),
        ("discovery_x", 0),
        ("strategy_x", 0),
    ],
)
def test_the_listing_fails_if_a_plugin_is_broken_that_every_manager_loads(
    acme, capsys, name, status
):
    acme.install(name, "import nosuchlibrary")
    assert main(["plugins"]) == status
    assert "BROKEN" in capsys.readouterr().out
