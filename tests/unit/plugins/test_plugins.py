"""Hook calls: their order, conflicts, invalid plugins, and the effects of a plugin that fails."""

import logging
from types import SimpleNamespace

import pytest

from swarmcore import hookimpl
from swarmcore.command_line import Command, Usage
from swarmcore.errors import ConfigError, PluginBroken, PluginConflict, PluginMisfit, PluginNotFound
from swarmcore.http.messages import Client, Query, Request
from swarmcore.plugins.plugins import Plugins
from swarmcore.protocols import Denied, DiscoveryOptions, DiscoveryURI, Route

URI = DiscoveryURI("rack", "a")
REQUEST = Request("GET", "/info", "/info", Query(), None, (), Client("unix"))


class Module(SimpleNamespace):
    """Replaces a plugin's module; equal only to itself."""

    __eq__, __hash__ = object.__eq__, object.__hash__


def plugin(**hooks):
    """Return a module that implements each hook with the given function."""
    return Module(**{name: hookimpl(hook) for name, hook in hooks.items()})


def plugins_of(options=None, **named):
    """Return a set of plugins, loaded in the order given."""
    plugins = Plugins(options)
    for name, each in named.items():
        plugins.register(each, name)
    return plugins


def a_strategy(name="quiet"):
    return SimpleNamespace(name=name, weigh=lambda config, node: [0])


def a_filter(name):
    return SimpleNamespace(name=name, rules=lambda config: [])


async def handler(exchange):
    raise AssertionError("not called here")


# ---- order


def test_plugins_are_called_in_the_order_in_which_they_were_loaded():
    plugins = plugins_of(
        **{
            name: plugin(swarmcore_filter=lambda name=name: a_filter(name))
            for name in ("c", "a", "b")
        }
    )
    assert [each.name for each in plugins.filters()] == ["c", "a", "b"]
    assert plugins.names == plugins.implementers("swarmcore_filter") == ["c", "a", "b"]


def test_tryfirst_goes_before_the_order_of_loading():
    def late():
        return a_filter("late")

    first = Module(swarmcore_filter=hookimpl(tryfirst=True)(late))
    plugins = plugins_of(a=plugin(swarmcore_filter=lambda: a_filter("a")), b=first)
    assert [each.name for each in plugins.filters()] == ["late", "a"]


def test_a_wrapper_goes_around_every_implementation():
    seen = []

    def watching(options):
        seen.append(options)
        return (yield)

    wrapper = Module(swarmcore_filter=hookimpl(wrapper=True)(watching))
    plugins = plugins_of(
        {"k": "v"},
        a=plugin(swarmcore_filter=lambda: a_filter("a")),
        b=plugin(swarmcore_filter=lambda: a_filter("b")),
        w=wrapper,
    )
    assert [each.name for each in plugins.filters()] == ["a", "b"]
    assert seen == [{"k": "v"}] * 2
    assert plugins.implementers("swarmcore_filter") == ["a", "b"]


def test_one_object_under_two_names_is_one_plugin():
    each = plugin(swarmcore_filter=lambda: a_filter("a"))
    assert len(plugins_of(a=each, b=each).filters()) == 1


def test_a_name_is_taken_once():
    plugins = plugins_of(a=plugin(swarmcore_filter=lambda: a_filter("a")))
    with pytest.raises(PluginConflict, match="'a' is already loaded"):
        plugins.register(plugin(swarmcore_filter=lambda: a_filter("a")), "a")


# ---- misfits


async def an_async_hook():
    raise AssertionError("not called here")


async def an_async_generator():
    yield


@pytest.mark.parametrize(
    ("misfit", "why"),
    [
        (Module(), "plugin 'acme' implements no hook"),
        (plugin(swarmcore_strategi=a_strategy), "does not fit this core: .*swarmcore_strategi"),
        (plugin(swarmcore_strategy=lambda nodes: None), "does not fit this core: .*nodes"),
        (plugin(swarmcore_strategy=an_async_hook), "swarmcore_strategy is async"),
        (plugin(swarmcore_routes=an_async_generator), "swarmcore_routes is async"),
    ],
    ids=["no hook", "misspelt", "wrong argument", "coroutine", "async generator"],
)
def test_a_misfit_is_one_line_and_leaves_nothing_behind(misfit, why):
    plugins = plugins_of(good=plugin(swarmcore_filter=lambda: a_filter("a")))
    with pytest.raises(PluginMisfit, match=why) as caught:
        plugins.register(misfit, "acme")
    assert "\n" not in str(caught.value)
    assert plugins.names == ["good"]
    assert [each.name for each in plugins.filters()] == ["a"]


@pytest.mark.parametrize(
    ("hook", "value", "call"),
    [
        ("swarmcore_strategy", 7, lambda plugins: plugins.strategy()),
        ("swarmcore_filter", "health", lambda plugins: plugins.filters()),
        ("swarmcore_weigher", "quiet", lambda plugins: plugins.weighers()),
        ("swarmcore_discovery", 7, lambda plugins: plugins.discovery(URI, DiscoveryOptions())),
        ("swarmcore_routes", ["GET /x"], lambda plugins: plugins.routes()),
        ("swarmcore_commands", ["hub"], lambda plugins: plugins.commands()),
        ("swarmcore_background", [7], lambda plugins: plugins.background(None)),
        ("swarmcore_fence", 7, lambda plugins: plugins.fences(None)),
        ("swarmcore_authorize", True, lambda plugins: plugins.authorize(REQUEST)),
        ("swarmcore_election", 7, lambda plugins: plugins.election(URI, DiscoveryOptions())),
    ],
)
def test_a_hook_that_returns_the_wrong_thing_is_named(hook, value, call):
    plugins = plugins_of(acme=plugin(**{hook: lambda: value}))
    with pytest.raises(PluginMisfit, match=f"'acme' .*{hook}"):
        call(plugins)


# ---- providers


def test_every_plugin_that_knows_a_node_fences_it():
    seen = []
    plugins = plugins_of(
        {"acme.rack": "r1"},
        a=plugin(swarmcore_fence=lambda node, options: seen.append((node, options))),
        b=plugin(swarmcore_fence=lambda node: print),
    )
    assert plugins.fences("n1") == [print]
    assert seen == [("n1", {"acme.rack": "r1"})]


def test_a_departed_engine_is_kept_as_long_as_any_plugin_needs_it(caplog):
    plugins = plugins_of(
        a=plugin(swarmcore_engine_departed=lambda node: 60),
        b=plugin(swarmcore_engine_departed=lambda: None),
        c=plugin(swarmcore_engine_departed=lambda: 1 / 0),
        d=plugin(swarmcore_engine_departed=lambda: "soon"),
        e=plugin(swarmcore_engine_departed=lambda options: 90.5),
    )
    assert plugins.seconds_to_stay("n1") == 90.5
    assert {each.getMessage().split()[1] for each in caplog.records} == {"'c'", "'d'"}
    assert plugins_of().seconds_to_stay("n1") == 0


def test_the_first_discovery_that_answers_is_taken():
    found = SimpleNamespace(watch=None)
    plugins = plugins_of(
        a=plugin(swarmcore_discovery=lambda uri: None if uri.scheme == "rack" else 1),
        b=plugin(swarmcore_discovery=lambda: found),
        c=plugin(swarmcore_discovery=lambda: 1 / 0),
    )
    assert plugins.discovery(URI, DiscoveryOptions()) is found


def test_an_unknown_scheme_is_named():
    plugins = plugins_of(a=plugin(swarmcore_discovery=lambda: None))
    with pytest.raises(PluginNotFound, match="no discovery answers to 'rack://a'; "):
        plugins.discovery(URI, DiscoveryOptions())


def test_there_is_exactly_one_strategy():
    quiet = plugin(swarmcore_strategy=a_strategy)
    assert plugins_of(a=quiet).strategy().name == "quiet"
    with pytest.raises(PluginConflict, match="two are loaded: 'a' and 'b'"):
        plugins_of(a=quiet, b=plugin(swarmcore_strategy=a_strategy)).strategy()
    with pytest.raises(PluginNotFound, match="no strategy is loaded"):
        plugins_of(a=plugin(swarmcore_filter=lambda: None)).strategy()


def test_routes_come_with_the_name_of_their_plugin():
    get, put = Route("GET", "/x", handler), Route("PUT", "/x", handler)
    plugins = plugins_of(
        a=plugin(swarmcore_routes=lambda: [get]), b=plugin(swarmcore_routes=lambda: iter([put]))
    )
    assert plugins.routes() == [("a", get), ("b", put)]


def test_two_plugins_that_claim_one_route_are_both_named():
    plugins = plugins_of(
        a=plugin(swarmcore_routes=lambda: [Route("GET", "/x", handler)]),
        b=plugin(swarmcore_routes=lambda: [Route("GET", "/x", handler)]),
    )
    with pytest.raises(PluginConflict, match="two plugins claim GET /x: 'a' and 'b'"):
        plugins.routes()


def test_routes_that_differ_in_the_names_of_placeholders_are_one():
    routes = [Route("GET", "/x/{name}", handler), Route("GET", "/x/{id}", handler)]
    plugins = plugins_of(a=plugin(swarmcore_routes=lambda: routes))
    with pytest.raises(PluginConflict, match=r"plugin 'a' claims GET /x/{id} twice"):
        plugins.routes()
    plugins = plugins_of(
        a=plugin(swarmcore_routes=lambda: routes[:1]), b=plugin(swarmcore_routes=lambda: routes[1:])
    )
    with pytest.raises(PluginConflict, match=r"two plugins claim GET /x/{id}: 'a' and 'b'"):
        plugins.routes()


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        (Route("GET", "x", handler), "route GET x: its path must begin with a slash"),
        (Route("GET", "/x", print), "route GET /x: its handler must be an async function"),
    ],
)
def test_a_route_that_cannot_work_is_an_error_that_names_the_plugin(route, problem):
    plugins = plugins_of(a=plugin(swarmcore_routes=lambda: [route]))
    with pytest.raises(PluginMisfit, match=f"plugin 'a': {problem}"):
        plugins.routes()


def test_a_filter_hook_that_answers_none_is_an_error_that_names_the_plugin():
    with pytest.raises(PluginMisfit, match="plugin 'a' returned None from swarmcore_filter"):
        plugins_of(a=plugin(swarmcore_filter=lambda: None)).filters()


def test_two_plugins_with_one_command_are_both_named():
    def commands():
        return [Command(Usage("hub", "serve"), lambda call: 0)]

    assert [name for name, _ in plugins_of(a=plugin(swarmcore_commands=commands)).commands()] == [
        "a"
    ]
    with pytest.raises(PluginConflict, match="'hub': 'a' and 'b'"):
        plugins_of(
            a=plugin(swarmcore_commands=commands), b=plugin(swarmcore_commands=lambda: commands())
        ).commands()


def test_the_first_refusal_stops_a_request():
    plugins = plugins_of(
        a=plugin(swarmcore_authorize=lambda request: None),
        b=plugin(swarmcore_authorize=lambda request: Denied(f"no {request.path}")),
        c=plugin(swarmcore_authorize=lambda request: 1 / 0),
    )
    assert plugins.authorize(REQUEST) == Denied("no /info")
    assert Plugins().authorize(REQUEST) is None


def test_background_work_comes_with_the_name_of_its_plugin():
    plugins = plugins_of(a=plugin(swarmcore_background=lambda cluster: [an_async_hook]))
    assert plugins.background(None) == [("a", an_async_hook)]


def test_an_election_is_optional():
    election = SimpleNamespace(campaign=None)
    answers = plugin(swarmcore_election=lambda uri: election if uri.scheme == "rack" else None)
    assert plugins_of(a=answers).election(URI, DiscoveryOptions()) is election
    assert plugins_of(a=answers).election(DiscoveryURI("x", ""), DiscoveryOptions()) is None


def ending():
    raise SystemExit(3)


@pytest.mark.parametrize(
    "hook", [lambda: 1 / 0, lambda: (1 / 0 for _ in "x"), ending], ids=["call", "items", "exit"]
)
def test_a_provider_that_raises_is_named(hook):
    plugins = plugins_of(
        good=plugin(swarmcore_routes=lambda: ()), acme=plugin(swarmcore_routes=hook)
    )
    with pytest.raises(PluginBroken, match="plugin 'acme' failed in swarmcore_routes: ") as caught:
        plugins.routes()
    assert caught.value.__cause__ is not None


def test_errors_of_a_provider_for_the_user_stay_unchanged():
    def discovery():
        raise ConfigError("rack://a: write RACK=HOST:PORT")

    with pytest.raises(ConfigError, match=r"^rack://a: write RACK=HOST:PORT$"):
        plugins_of(a=plugin(swarmcore_discovery=discovery)).discovery(URI, DiscoveryOptions())


# ---- notifications


NOTIFICATIONS = {
    "swarmcore_started": {"cluster": 1},
    "swarmcore_stopping": {"cluster": 1},
    "swarmcore_engine_joined": {"node": 1},
    "swarmcore_engine_lost": {"node": 1, "reason": "cut off"},
    "swarmcore_container_placed": {"config": 1, "node": 2},
}


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        *NOTIFICATIONS.items(),
        ("swarmcore_authorize", {"request": REQUEST}),
        ("swarmcore_background", {"cluster": 1}),
    ],
)
def test_each_hook_of_a_manager_can_ask_for_its_options(hook, arguments):
    seen = []
    plugins = plugins_of(
        {"acme.rack": "r1"}, a=plugin(**{hook: lambda options: seen.append(options)})
    )
    getattr(plugins, hook.removeprefix("swarmcore_"))(**arguments)
    assert seen == [{"acme.rack": "r1"}]


@pytest.mark.parametrize(("hook", "arguments"), NOTIFICATIONS.items())
def test_a_notification_that_raises_is_logged_and_the_others_are_called(hook, arguments, caplog):
    called = []
    plugins = plugins_of(
        a=plugin(**{hook: lambda: called.append("a")}),
        broken=plugin(**{hook: lambda: 1 / 0}),
        leaving=plugin(**{hook: ending}),
        z=plugin(**{hook: lambda: called.append("z")}),
    )
    with caplog.at_level(logging.ERROR):
        getattr(plugins, hook.removeprefix("swarmcore_"))(**arguments)
    assert called == ["a", "z"]
    assert [record.getMessage() for record in caplog.records] == [
        f"plugin 'broken' failed in {hook}; going on without it",
        f"plugin 'leaving' failed in {hook}; going on without it",
    ]


def test_hook_calls_can_be_traced(monkeypatch, caplog):
    monkeypatch.setenv("SWARMCORE_TRACE_HOOKS", "1")
    with caplog.at_level(logging.INFO):
        plugins_of(a=plugin(swarmcore_stopping=lambda: None)).stopping(None)
    assert [record.getMessage() for record in caplog.records] == [
        "hook swarmcore_stopping(cluster, options): a"
    ]
