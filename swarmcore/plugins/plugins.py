"""Loads and calls plugins.

stevedore imports one named entry point (``importing``); pluggy checks it against ``hookspecs`` and
calls it.  The rest of the core uses the typed methods of ``Plugins``, one for each hook.
``selection`` decides which plugins to load.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from pluggy import HookCaller, PluginManager

from swarmcore.command_line import Command
from swarmcore.container_config import ContainerConfig
from swarmcore.errors import (
    PluginConflict,
    PluginMisfit,
    PluginNotFound,
    SwarmError,
)
from swarmcore.http.messages import Request
from swarmcore.http.routing import shape
from swarmcore.node import Node
from swarmcore.plugins.catalogue import PluginInfo, find, hint, installed, listing
from swarmcore.plugins.importing import (
    import_file,
    import_installed,
    import_module,
    is_path,
    one_line,
)
from swarmcore.plugins.timing import HookTimer
from swarmcore.plugins.validation import check, check_route, failed, new_manager
from swarmcore.protocols import (
    Cluster,
    Denied,
    Discovery,
    DiscoveryOptions,
    DiscoveryURI,
    Election,
    Fence,
    Filter,
    Route,
    Strategy,
    Weigher,
)

__all__ = ["PluginInfo", "Plugins", "check", "import_installed", "installed"]

_log = logging.getLogger(__name__)


class Plugins:
    """A set of loaded plugins, called in the order in which they were loaded.

    There is no global instance: the application makes one, and tests register plain objects.

    Args:
        options: keys and values of ``--cluster-opt``, available to every hook.
        known: the result of ``installed``, if known already; it is read once otherwise.
    """

    def __init__(
        self,
        options: Mapping[str, str] | None = None,
        known: Sequence[PluginInfo] | None = None,
    ) -> None:
        self._options = MappingProxyType(dict(options or {}))
        self._known = known
        self._timer = HookTimer()
        self._loaded: dict[str, tuple[PluginInfo, object]] = {}
        self._callers: dict[str, list[tuple[PluginInfo, HookCaller]]] = {}

    # ---- loading

    @property
    def names(self) -> Sequence[str]:
        """The names of the loaded plugins in calling order."""
        return list(self._loaded)

    def load(self, names: Iterable[str]) -> None:
        """Load plugins by name; plugins that are loaded already are skipped.

        Args:
            names: names of entry points or of importable modules (``acme.scheduling``), or paths of
                files (``./my_filter.py``).

        Raises:
            PluginNotFound: there is no such plugin.
            PluginConflict: two distributions have a plugin of that name.
            PluginBroken: it cannot be imported.
            PluginMisfit: it does not match the hooks of this core.
        """
        for name in names:
            if name not in self._loaded:
                self._add(*self._import(name))

    def register(self, plugin: object, name: str) -> None:
        """Add a module, class or object with hook implementations.

        Raises:
            PluginConflict: the name is taken.
            PluginMisfit: it does not match the hooks of this core.
        """
        if name in self._loaded:
            raise PluginConflict(f"a plugin called {name!r} is already loaded")
        self._add(PluginInfo(name), plugin)

    def implementers(self, hook: str) -> Sequence[str]:
        """The names of the loaded plugins that implement *hook*, in calling order."""
        return [info.name for info, _ in self._calls(hook)]

    def _add(self, info: PluginInfo, plugin: object) -> None:
        if any(plugin is other for _, other in self._loaded.values()):
            return  # one module with two names is one plugin; pluggy would refuse it
        self._timer.loaded(info, check(info, plugin))
        self._loaded[info.name] = (info, plugin)
        self._callers.clear()
        self.__dict__.pop("_manager", None)  # made again from all plugins

    @cached_property
    def _manager(self) -> PluginManager:
        """pluggy's manager of all loaded plugins.

        pluggy calls the plugin registered last first, so they are registered in reverse order.
        """
        manager = new_manager()
        for name, (_, loaded) in reversed(self._loaded.items()):
            manager.register(loaded, name=name)
        return manager

    def _installed(self) -> Sequence[PluginInfo]:
        if self._known is None:
            self._known = installed()
        return self._known

    def _import(self, name: str) -> tuple[PluginInfo, object]:
        if is_path(name):
            return import_file(name)
        known = self._installed()
        if any(info.name == name for info in known):
            info = find(name, known)
            return info, import_installed(info)
        found = import_module(name)
        if found is None:
            raise PluginNotFound(f"no plugin is called {name!r}; {hint(name, known)}")
        return found

    # ---- hooks

    def discovery(self, uri: DiscoveryURI, options: DiscoveryOptions) -> Discovery:
        """The discovery for *uri*.

        Raises:
            PluginNotFound: no loaded plugin supports its scheme.
            ConfigError: the URI is invalid.
        """
        for info, value in self._results("swarmcore_discovery", uri=uri, options=options):
            found: Discovery = _expect(value, info, "swarmcore_discovery", "watch")
            return found
        raise PluginNotFound(
            f"no discovery answers to {str(uri)!r}; {listing(self._installed(), 'discovery')}"
        )

    def strategy(self) -> Strategy:
        """The placement strategy.

        Raises:
            PluginConflict: two loaded plugins provide one.
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
            raise PluginNotFound(f"no strategy is loaded; {listing(self._installed(), 'strategy')}")
        return found[0][1]

    def filters(self) -> list[Filter]:
        """The filters in calling order.

        Raises:
            PluginMisfit: a plugin returned something that is not a filter.
        """
        hook = "swarmcore_filter"
        found = {info.name: value for info, value in self._results(hook, options=self._options)}
        return [
            _expect(found.get(info.name), info, hook, "name", "rules")
            for info, _ in self._calls(hook)
        ]

    def weighers(self) -> list[Weigher]:
        """The weighers in calling order.

        Raises:
            PluginConflict: two plugins provide a weigher of the same name.
            PluginMisfit: a plugin returned something that is not a weigher.
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
        """All routes, each with the name of its plugin.

        Raises:
            PluginConflict: two routes have the same method and the same template (names of
                placeholders do not matter).
            PluginMisfit: a template does not begin with a slash, or a handler is not async.
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
        """The leader election for *uri*; ``None`` if no plugin provides one."""
        for info, value in self._results("swarmcore_election", uri=uri, options=options):
            found: Election = _expect(value, info, "swarmcore_election", "campaign")
            return found
        return None

    def authorize(self, request: Request) -> Denied | None:
        """The first refusal of *request*; ``None`` if no plugin refuses it.

        Raises:
            PluginBroken: a plugin raised an exception; the request must not be allowed.
        """
        for info, value in self._results(
            "swarmcore_authorize", request=request, options=self._options
        ):
            denied: Denied = _expect(value, info, "swarmcore_authorize", "reason")
            return denied
        return None

    def commands(self) -> list[tuple[str, Command]]:
        """All subcommands, each with the name of its plugin.

        Raises:
            PluginConflict: two plugins provide the same command.
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
        """Background work of plugins, each with the name of its plugin."""
        return [
            (info.name, work)
            for info, work in self._items(
                "swarmcore_background", Callable, cluster=cluster, options=self._options
            )
        ]

    def fences(self, node: Node) -> list[Fence]:
        """What plugins do before the containers of a lost node are copied.

        Raises:
            PluginMisfit: a plugin returned something that cannot be called.
        """
        hook = "swarmcore_fence"
        results = self._results(hook, node=node, options=self._options)
        return [_expect(fence, info, hook, "__call__") for info, fence in results]

    def seconds_to_stay(self, node: Node) -> float:
        """For how many seconds plugins still need an engine that has left discovery's list.

        Plugins that fail are logged and count as if they did not need it.
        """
        hook, longest = "swarmcore_engine_departed", 0.0
        arguments = {"node": node, "options": self._options}
        for info, call in self._calls(hook):
            try:
                answers = self._timer.call(info, hook, call, arguments)
                longest = max([longest, *map(float, answers)])
            except (Exception, SystemExit):
                _log.exception("plugin %s failed in %s; going on without it", info, hook)
        return longest

    def started(self, cluster: Cluster) -> None:
        """Notify plugins that the manager serves requests."""
        self._notify("swarmcore_started", cluster=cluster)

    def stopping(self, cluster: Cluster) -> None:
        """Notify plugins that the manager is stopping."""
        self._notify("swarmcore_stopping", cluster=cluster)

    def engine_joined(self, node: Node) -> None:
        """Notify plugins that an engine became healthy."""
        self._notify("swarmcore_engine_joined", node=node)

    def engine_lost(self, node: Node, reason: str) -> None:
        """Notify plugins that an engine stopped answering or left."""
        self._notify("swarmcore_engine_lost", node=node, reason=reason)

    def container_placed(self, config: ContainerConfig, node: Node) -> None:
        """Notify plugins that a container was created."""
        self._notify("swarmcore_container_placed", config=config, node=node)

    # ---- calling hooks

    def _calls(self, hook: str) -> list[tuple[PluginInfo, HookCaller]]:
        """A hook caller for each implementation, so that failures can be attributed to a plugin.

        Each caller excludes the other implementations and includes all hook wrappers.
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
        """The results of all implementations, except ``None``.

        Raises:
            SwarmError: an implementation raised it; it is meant for the user.
            PluginBroken: an implementation raised another exception.
        """
        for info, call in self._calls(hook):
            try:
                result = self._timer.call(info, hook, call, arguments)
            except SwarmError:
                raise
            except (Exception, SystemExit) as error:
                raise failed(info, hook, error) from error
            if call.spec is not None and not call.spec.opts["firstresult"]:
                result = result[0] if result else None
            if result is not None:
                yield info, result

    def _items(self, hook: str, kind: Any, **arguments: Any) -> Iterator[tuple[PluginInfo, Any]]:
        """The items of the iterables that implementations return."""
        for info, result in self._results(hook, **arguments):
            try:
                items = list(result)
            except (Exception, SystemExit) as error:
                raise failed(info, hook, error) from error
            for item in items:
                if not isinstance(item, kind):
                    raise PluginMisfit(f"plugin {info} gave {one_line(repr(item))} to {hook}")
                yield info, item

    def _notify(self, hook: str, **arguments: Any) -> None:
        arguments["options"] = self._options
        for info, call in self._calls(hook):
            try:
                self._timer.call(info, hook, call, arguments)
            except (Exception, SystemExit):
                _log.exception("plugin %s failed in %s; going on without it", info, hook)


def _expect(value: Any, info: PluginInfo, hook: str, *attributes: str) -> Any:
    missing = [name for name in attributes if not hasattr(value, name)]
    if missing:
        raise PluginMisfit(
            f"plugin {info} returned {one_line(repr(value))} from {hook}: no {', '.join(missing)}"
        )
    return value
