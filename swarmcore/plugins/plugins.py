"""Loads plugins and calls them: the only importer of stevedore and of pluggy's manager.

stevedore imports one named entry point; pluggy checks it against ``hookspecs`` and calls it.  The
core never sees either: it has one typed method here for every hook.  Which names to load is for
``selection`` to know.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from pluggy import HookCaller
from stevedore import DriverManager

from swarmcore.command_line import Command
from swarmcore.container_config import ContainerConfig
from swarmcore.errors import (
    PluginBroken,
    PluginConflict,
    PluginMisfit,
    PluginNotFound,
    SwarmError,
)
from swarmcore.http.messages import Request
from swarmcore.http.routing import shape
from swarmcore.node import Node
from swarmcore.plugins.catalogue import GROUP, PluginInfo, find, installed, listing
from swarmcore.plugins.importing import guarded, import_file, import_module, is_path, one_line
from swarmcore.plugins.validation import check, check_route, new_manager
from swarmcore.protocols import (
    Cluster,
    Denied,
    Discovery,
    DiscoveryOptions,
    DiscoveryURI,
    Election,
    Filter,
    Route,
    Strategy,
    Weigher,
)

__all__ = ["PluginInfo", "Plugins", "check", "import_installed", "installed"]

_log = logging.getLogger(__name__)


class Plugins:
    """A set of loaded plugins, called in the order in which they were loaded.

    Nothing is global: the application makes one, a test makes one and registers plain objects.

    Args:
        options: ``--cluster-opt`` keys and values, which every hook may ask for.
    """

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = MappingProxyType(dict(options or {}))
        self._loaded: dict[str, tuple[PluginInfo, object]] = {}
        self._manager = new_manager()
        self._callers: dict[str, list[tuple[PluginInfo, HookCaller]]] = {}

    # ---- who is in the room

    @property
    def names(self) -> Sequence[str]:
        """What is loaded, in calling order."""
        return list(self._loaded)

    def load(self, names: Iterable[str]) -> None:
        """Load plugins by name; one that is already there is left alone.

        Args:
            names: of entry points, of importable modules (``acme.scheduling``), or paths of files
                (``./my_filter.py``).

        Raises:
            PluginNotFound, PluginConflict, PluginBroken, PluginMisfit: one line each.
        """
        for name in names:
            if name not in self._loaded:
                self._add(*_import(name))

    def register(self, plugin: object, name: str) -> None:
        """Add a module, a class or an object that has hook implementations.

        Raises:
            PluginConflict: the name is taken.
            PluginMisfit: it does not fit the hooks of this core.
        """
        if name in self._loaded:
            raise PluginConflict(f"a plugin called {name!r} is already loaded")
        self._add(PluginInfo(name), plugin)

    def implementers(self, hook: str) -> Sequence[str]:
        """The loaded plugins that implement *hook*, in calling order."""
        return [info.name for info, _ in self._calls(hook)]

    def _add(self, info: PluginInfo, plugin: object) -> None:
        if any(plugin is other for _, other in self._loaded.values()):
            return  # one module under two names is one plugin; pluggy would refuse it
        check(info, plugin)
        self._loaded[info.name] = (info, plugin)
        self._callers.clear()
        # pluggy calls the last registered first, and ours is the calling order: the manager is
        # made anew, back to front, which costs nothing beside importing a plugin.
        self._manager = new_manager()
        for name, (_, loaded) in reversed(self._loaded.items()):
            self._manager.register(loaded, name=name)

    # ---- who speaks when

    def discovery(self, uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery:
        """The discovery behind *uri*.

        Raises:
            ConfigError: no loaded plugin answers to it, or the URI cannot work.
        """
        for info, value in self._results("swarmcore_discovery", uri=uri, options=options):
            found: Discovery = _expect(value, info, "swarmcore_discovery", "watch")
            return found
        raise PluginNotFound(
            f"no discovery answers to {str(uri)!r}; {listing(installed(), 'discovery')}"
        )

    def strategy(self) -> Strategy:
        """The placement strategy.

        Raises:
            PluginConflict: two loaded plugins bring one.
            PluginNotFound: none does.
        """
        hook = "swarmcore_strategy"
        found: list[tuple[PluginInfo, Strategy]] = [
            (info, _expect(value, info, hook, "name", "weigh"))
            for info, value in self._results(hook, options=self._options)
        ]
        if len(found) > 1:
            names = " and ".join(str(info) for info, _ in found[:2])
            raise PluginConflict(f"there can be one strategy, and two are loaded: {names}")
        if not found:
            raise PluginNotFound(f"no strategy is loaded; {listing(installed(), 'strategy')}")
        return found[0][1]

    def filters(self) -> list[Filter]:
        """The filters, in calling order.

        Raises:
            PluginMisfit: a plugin brings none, or something else.
        """
        hook = "swarmcore_filter"
        found = {info.name: value for info, value in self._results(hook, options=self._options)}
        return [
            _expect(found.get(info.name), info, hook, "name", "rules")
            for info, _ in self._calls(hook)
        ]

    def weighers(self) -> list[Weigher]:
        """The weighers that are added to the strategy's weights, in calling order.

        Raises:
            PluginConflict: two plugins bring one of the same name.
            PluginMisfit: a plugin brings something else.
        """
        hook = "swarmcore_weigher"
        found: dict[str, tuple[PluginInfo, Weigher]] = {}
        for info, value in self._results(hook, options=self._options):
            weigher: Weigher = _expect(value, info, hook, "name", "multiplier", "weigh")
            other, known = found.setdefault(weigher.name, (info, weigher))
            if known is not weigher:
                raise PluginConflict(
                    f"two plugins bring the weigher {weigher.name!r}: {other} and {info}"
                )
        return [weigher for _, weigher in found.values()]

    def routes(self) -> list[tuple[str, Route]]:
        """Every route with the name of the plugin that brings it.

        Raises:
            PluginConflict: two routes have one method and, whatever their placeholders are called,
                one template.
            PluginMisfit: a template without a slash in front, or a handler that is not async.
        """
        claimed: dict[tuple[str, str], tuple[PluginInfo, Route]] = {}
        for info, route in self._items("swarmcore_routes", Route, options=self._options):
            check_route(info, route)
            other, known = claimed.setdefault((route.method, shape(route.template)), (info, route))
            if known is not route:
                raise PluginConflict(
                    f"two plugins claim {route.method} {route.template}: {other} and {info}"
                    if other != info
                    else f"plugin {info} claims {route.method} {route.template} twice"
                )
        return [(info.name, route) for info, route in claimed.values()]

    def election(self, uri: DiscoveryURI, options: DiscoveryOptions) -> Election | None:
        """The leader election that goes with *uri*; ``None`` when no plugin has one."""
        for info, value in self._results("swarmcore_election", uri=uri, options=options):
            found: Election = _expect(value, info, "swarmcore_election", "campaign")
            return found
        return None

    def authorize(self, request: Request) -> Denied | None:
        """The first no to *request*; ``None`` when nobody objects.

        Raises:
            PluginBroken: a plugin raised; the request must not pass.
        """
        for info, value in self._results(
            "swarmcore_authorize", request=request, options=self._options
        ):
            denied: Denied = _expect(value, info, "swarmcore_authorize", "reason")
            return denied
        return None

    def commands(self) -> list[tuple[str, Command]]:
        """Every subcommand with the name of the plugin that brings it.

        Raises:
            PluginConflict: two plugins bring one command.
        """
        claimed: dict[str, tuple[PluginInfo, Command]] = {}
        for info, command in self._items("swarmcore_commands", Command):
            other, _ = claimed.setdefault(command.name, (info, command))
            if claimed[command.name][1] is not command:
                raise PluginConflict(
                    f"two plugins bring the command {command.name!r}: {other} and {info}"
                )
        return [(info.name, command) for info, command in claimed.values()]

    def background(self, cluster: Cluster) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Work to run beside the server, with the name of the plugin whose it is."""
        return [
            (info.name, work)
            for info, work in self._items(
                "swarmcore_background", Callable, cluster=cluster, options=self._options
            )
        ]

    def started(self, cluster: Cluster) -> None:
        """The manager serves from now on."""
        self._notify("swarmcore_started", cluster=cluster)

    def stopping(self, cluster: Cluster) -> None:
        """The manager is asked to stop."""
        self._notify("swarmcore_stopping", cluster=cluster)

    def engine_joined(self, node: Node) -> None:
        """An engine became healthy."""
        self._notify("swarmcore_engine_joined", node=node)

    def engine_lost(self, node: Node, reason: str) -> None:
        """An engine stopped answering, or left."""
        self._notify("swarmcore_engine_lost", node=node, reason=reason)

    def container_placed(self, config: ContainerConfig, node: Node) -> None:
        """A container was created."""
        self._notify("swarmcore_container_placed", config=config, node=node)

    # ---- calling

    def _calls(self, hook: str) -> list[tuple[PluginInfo, HookCaller]]:
        """One caller for each implementation, so that a failure has a name and stops no other.

        A caller leaves out the other implementations and keeps every plugin's wrapper.
        """
        if hook not in self._callers:
            implementations = getattr(self._manager.hook, hook).get_hookimpls()
            providers = [
                implementation.plugin_name
                for implementation in reversed(implementations)
                if not (implementation.wrapper or implementation.hookwrapper)
            ]
            self._callers[hook] = [
                (
                    self._loaded[name][0],
                    self._manager.subset_hook_caller(
                        hook, [self._loaded[other][1] for other in providers if other != name]
                    ),
                )
                for name in providers
            ]
        return self._callers[hook]

    def _results(self, hook: str, **arguments: Any) -> Iterator[tuple[PluginInfo, Any]]:
        """What each implementation returns, those that return ``None`` left out.

        Raises:
            SwarmError: an implementation raised one: it is meant for the user.
            PluginBroken: it raised anything else.
        """
        for info, call in self._calls(hook):
            try:
                result = call(**arguments)
            except SwarmError:
                raise
            except (Exception, SystemExit) as error:
                raise _failed(info, hook, error) from error
            if call.spec is not None and not call.spec.opts["firstresult"]:
                result = result[0] if result else None
            if result is not None:
                yield info, result

    def _items(self, hook: str, kind: Any, **arguments: Any) -> Iterator[tuple[PluginInfo, Any]]:
        """Each item of the iterables that the implementations return."""
        for info, result in self._results(hook, **arguments):
            try:
                items = list(result)
            except (Exception, SystemExit) as error:
                raise _failed(info, hook, error) from error
            for item in items:
                if not isinstance(item, kind):
                    raise PluginMisfit(f"plugin {info} gave {one_line(repr(item))} to {hook}")
                yield info, item

    def _notify(self, hook: str, **arguments: Any) -> None:
        for info, call in self._calls(hook):
            try:
                call(**arguments, options=self._options)
            except (Exception, SystemExit):
                _log.exception("plugin %s failed in %s; going on without it", info, hook)


class _Driver(DriverManager[object]):
    """Finds its driver in live metadata: stevedore's disk cache can be two minutes old."""

    def list_entry_points(self) -> list[EntryPoint]:
        return list(entry_points(group=self.namespace))


def import_installed(info: PluginInfo) -> object:
    """The module behind one entry point; stevedore imports nothing else.

    Raises:
        PluginBroken: it raised, or tried to end the process.
    """
    return guarded(info, lambda: _Driver(GROUP, info.name).driver)


def _import(name: str) -> tuple[PluginInfo, object]:
    if is_path(name):
        return import_file(name)
    known = installed()
    if any(info.name == name for info in known):
        info = find(name, known)
        return info, import_installed(info)
    found = import_module(name)
    if found is None:
        raise PluginNotFound(f"no plugin is called {name!r}; {listing(known)}")
    return found


def _expect(value: Any, info: PluginInfo, hook: str, *attributes: str) -> Any:
    missing = [name for name in attributes if not hasattr(value, name)]
    if missing:
        raise PluginMisfit(
            f"plugin {info} returned {one_line(repr(value))} from {hook}: no {', '.join(missing)}"
        )
    return value


def _failed(info: PluginInfo, hook: str, error: BaseException) -> PluginBroken:
    return PluginBroken(f"plugin {info} failed in {hook}: {one_line(repr(error))}")
