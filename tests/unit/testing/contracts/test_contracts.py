"""The contracts accept good plugins and find bad ones; each fault here is a typical mistake."""

import random
from functools import partial
from pathlib import Path

import pytest
import trio

from swarmcore import hookimpl
from swarmcore.errors import BadRequest, ConfigError, PluginNotFound
from swarmcore.protocols import Route, Rule, Weigher
from swarmcore.testing.builders import a_config, an_entry
from swarmcore.testing.contracts import (
    DiscoveryContract,
    RoutesContract,
    StrategyContract,
    WeigherContract,
)
from tests.unit.testing.contracts.running import (
    Loaded,
    filter_contract,
    run_contract,
    strategy_contract,
)

# ---- strategies


def test_a_good_strategy_passes(tmp_path):
    contract = strategy_contract(lambda config, node: (-node.container_count, node.memory))
    assert run_contract(contract, tmp_path) == set()


def test_a_random_strategy_passes_when_it_says_so(tmp_path):
    contract = strategy_contract(lambda config, node: [random.random()], is_random=True)
    assert run_contract(contract, tmp_path) == set()


@pytest.mark.parametrize(
    ("weigh", "test"),
    [
        (lambda config, node: [float("nan")], "test_every_weight_is_a_row_of_finite_numbers"),
        (lambda config, node: [], "test_every_weight_is_a_row_of_finite_numbers"),
        (lambda config, node: 5, "test_every_weight_is_a_row_of_finite_numbers"),
        (lambda config, node: [0] * (1 + node.container_count), "test_all_weights_have_one_length"),
        (
            lambda config, node: [1 / node.memory],
            "test_a_node_without_cpus_or_memory_is_no_accident",
        ),
        (lambda config, node: [random.random()], "test_the_same_question_has_the_same_answer"),
        (lambda config, node: [node.labels.update(x="y") or 0], "test_weighing_changes_nothing"),
        (lambda config, node: [sum(range(300_000))], "test_weighing_is_quick"),
    ],
    ids=["nan", "empty", "a number", "uneven", "division", "random", "writes", "slow"],
)
def test_a_bad_strategy_is_caught(weigh, test, tmp_path):
    assert test in run_contract(strategy_contract(weigh), tmp_path)


def test_a_strategy_of_another_name_is_caught(tmp_path):
    contract = strategy_contract(lambda config, node: [0], name="yours")
    assert run_contract(contract, tmp_path) == {"test_the_strategy_is_called_what_the_user_types"}


# ---- weighers


def weigher_contract(weigh, **attributes):
    class Plugin:
        @hookimpl
        def swarmcore_weigher(self):
            return Weigher("mine", 1.0, weigh)

    members = {"name": "mine", "plugin": Plugin(), **attributes}
    return type("Contract", (Loaded, WeigherContract), members)


def test_a_good_weigher_passes(tmp_path):
    contract = weigher_contract(lambda _, nodes, __: [node.container_count for node in nodes])
    assert run_contract(contract, tmp_path) == set()


@pytest.mark.parametrize(
    ("weigh", "test"),
    [
        (lambda _, nodes, __: [float("inf")] * len(nodes), "test_each_candidate_has_one_finite"),
        (lambda _, nodes, __: [0.0], "test_each_candidate_has_one_finite"),
        (lambda _, __, nodes: [0.0] * len(nodes), "test_only_candidates_are_weighed"),
        (
            lambda _, nodes, __: [node.labels.update(x="y") or 0.0 for node in nodes],
            "test_weighing_changes_nothing",
        ),
        (lambda _, nodes, __: [sum(range(300_000)) for _ in nodes], "test_weighing_is_quick"),
    ],
    ids=["infinite", "too few", "all nodes", "writes", "slow"],
)
def test_a_bad_weigher_is_caught(weigh, test, tmp_path):
    failed = run_contract(weigher_contract(weigh), tmp_path)
    assert any(name.startswith(test) for name in failed), failed


# ---- filters


def has_label(key, node):
    return None if key in node.labels else f"has no {key}"


def zone_rules(config):
    for expression in config.constraints:
        key = expression.partition("==")[0]
        if "=" not in expression:
            raise BadRequest(f"constraint {expression!r} has no operator")
        yield Rule(f"constraint {expression}", partial(has_label, key), key=key)


def test_a_good_filter_passes(tmp_path):
    assert run_contract(filter_contract(zone_rules), tmp_path) == set()


def test_a_filter_without_rules_passes(tmp_path):
    assert run_contract(filter_contract(lambda config: ()), tmp_path) == set()


@pytest.mark.parametrize(
    ("rules", "test"),
    [
        (lambda config: [Rule("", lambda node: None)], "test_a_config_compiles_into_rules"),
        (lambda config: [lambda node: None], "test_a_config_compiles_into_rules"),
        (lambda config: [Rule("x", lambda node: False)], "test_a_check_answers_with_none_or"),
        (
            lambda config: [Rule("x", lambda node: "" if random.random() < 0.5 else None)],
            "test_a_check_changes_nothing",
        ),
        (
            lambda config: [Rule("x", lambda node: node.labels.update(a="b"))],
            "test_a_check_changes_nothing",
        ),
        (
            lambda config: [Rule(each, lambda node: {}["x"]) for each in config.constraints],
            "test_nonsense_is_nothing_worse",
        ),
        (
            lambda config: [Rule("x", lambda node: "no", summarise=lambda text, refused: "")],
            "test_refusals_are_put_into_words",
        ),
    ],
    ids=["no text", "no rule", "a bool", "moody", "writes", "raises", "silent"],
)
def test_a_bad_filter_is_caught(rules, test, tmp_path):
    assert any(name.startswith(test) for name in run_contract(filter_contract(rules), tmp_path))


def test_a_filter_that_accepts_its_bad_configs_is_caught(tmp_path):
    contract = filter_contract(zone_rules, bad_configs=lambda self: [a_config()])
    assert run_contract(contract, tmp_path) == {"test_a_malformed_config_is_a_bad_request"}


# ---- discoveries


class Listing:
    """A discovery of a file with one address a line; every fault can be switched on."""

    def __init__(self, path, fault=""):
        self.path, self.fault = path, fault

    async def watch(self, sink):
        seen = None
        while True:
            text = self.path.read_text() if self.path.exists() else None
            if text is None and self.fault != "empty":
                sink.failed(f"{self.path} is gone")
            elif text != seen and (seen is None or self.fault != "deaf"):
                sink.entries([an_entry(line) for line in (text or "").split()])
                seen = text
            try:
                await trio.sleep(0.01)
            finally:
                if self.fault == "stubborn":
                    with trio.CancelScope(shield=True):
                        await trio.sleep(0.3)


def discovery_contract(fault="", **attributes):
    class Plugin:
        @hookimpl
        def swarmcore_discovery(self, uri):
            if uri.scheme != "listing" and fault != "greedy":
                return None
            if not uri.rest.startswith("/") and fault != "lenient":
                raise ConfigError(f"{uri}: write an absolute path")
            return Listing(Path(uri.rest), fault)

    class Contract(Loaded, DiscoveryContract):
        name = "listing"
        plugin = Plugin()
        bad_uris = ("listing://relative",)
        supports_watch = True
        supports_failure = True
        patience_seconds = 60
        cancel_seconds = 0.2 if fault == "stubborn" else 60

        def prepare(self, folder):
            (folder / "list").write_text("10.0.0.1:2375\n10.0.0.2:2375\n")
            return f"listing://{folder}/list"

        def change(self, folder):
            (folder / "list").write_text("10.0.0.3:2375\n")

        def damage(self, folder):
            (folder / "list").unlink()

    for key, value in attributes.items():
        setattr(Contract, key, value)
    return Contract


def test_a_good_discovery_passes(tmp_path):
    assert run_contract(discovery_contract(), tmp_path) == set()


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("stubborn", "test_a_cancelled_watch_ends_at_once"),
        ("deaf", "test_a_change_is_reported_as_a_full_list"),
        ("empty", "test_a_failure_is_told_beside_the_list_and_never_as_an_empty_one"),
        ("greedy", "test_another_scheme_is_left_to_others"),
        ("lenient", "test_a_uri_that_cannot_work_stops_the_start_with_one_line"),
    ],
)
def test_a_bad_discovery_is_caught(fault, test, tmp_path):
    assert run_contract(discovery_contract(fault), tmp_path, hopeless=test) == {test}


# ---- routes


async def handler(exchange):
    """Answer nothing."""


def routes_contract(routes):
    class Plugin:
        @hookimpl
        def swarmcore_routes(self):
            return routes

    return type("Contract", (Loaded, RoutesContract), {"name": "mine", "plugin": Plugin()})


def test_good_routes_pass(tmp_path):
    routes = [
        Route("GET", "/acme/{name}/json", handler, routed="x"),
        Route("GET", "/acme/json", handler, routed="x"),
        Route("DELETE", "/acme/{name}", handler, routed="x"),
    ]
    assert run_contract(routes_contract(routes), tmp_path) == set()


@pytest.mark.parametrize(
    ("route", "test"),
    [
        (Route("get", "/acme", handler, routed="x"), "test_there_are_routes"),
        (Route("GET", "acme", handler, routed="x"), "test_templates_are_paths_without_version"),
        (
            Route("GET", "/v1.41/acme", handler, routed="x"),
            "test_templates_are_paths_without_version",
        ),
        (Route("GET", "/acme/", handler, routed="x"), "test_templates_are_paths_without_version"),
        (
            Route("GET", "/acme/{na", handler, routed="x"),
            "test_templates_are_paths_without_version",
        ),
        (
            Route("GET", "/{a}/{a}", handler, routed="x"),
            "test_placeholders_have_names_of_their_own",
        ),
        (Route("GET", "/acme", lambda exchange: None, routed="x"), "test_handlers_are_async"),
        (Route("GET", "/acme", handler), "test_every_route_says_who_is_asked"),
        (Route("GET", "/taken/{id}", handler, routed="x"), "test_no_two_routes_are_one"),
    ],
    ids=[
        "case", "no slash", "version", "slash at end", "brace", "twice", "not async", "silent",
        "taken",
    ],
)  # fmt: skip
def test_a_bad_route_is_caught(route, test, tmp_path):
    routes = [Route("GET", "/taken/{name}", handler, routed="x"), route]
    assert test in run_contract(routes_contract(routes), tmp_path)


# ---- installation


def test_a_plugin_that_is_not_installed_fails():
    class Contract(StrategyContract):
        name = "nowhere-to-be-found"

    with pytest.raises(PluginNotFound, match="strategy_nowhere-to-be-found"):
        Contract().test_the_plugin_is_installed_under_its_name()
