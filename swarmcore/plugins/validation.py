"""Checks the hooks and routes of a plugin.

An incompatible plugin stops the start of the manager with one line that names the plugin.
"""

import functools
import inspect
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pluggy import PluginManager, PluginValidationError

from swarmcore import hookspecs
from swarmcore.errors import PluginBroken, PluginMisfit
from swarmcore.plugins.catalogue import KIND_HOOKS, PluginInfo
from swarmcore.plugins.importing import one_line
from swarmcore.protocols import Route

_log = logging.getLogger(__name__)


def new_manager() -> PluginManager:
    """A plugin manager with our hooks; logs hook calls if ``SWARMCORE_TRACE_HOOKS`` is set."""
    manager = PluginManager("swarmcore")
    manager.add_hookspecs(hookspecs)
    if os.environ.get("SWARMCORE_TRACE_HOOKS"):
        manager.add_hookcall_monitoring(_trace, lambda outcome, *_: None)
    return manager


def _trace(hook: str, implementations: Sequence[Any], arguments: Mapping[str, Any]) -> None:
    names = ", ".join(each.plugin_name for each in reversed(implementations))
    _log.info("hook %s(%s): %s", hook, ", ".join(arguments), names)


def check(info: PluginInfo, plugin: object) -> list[str]:
    """Check *plugin* against the hooks of this core, in a plugin manager of its own.

    Returns:
        The hooks that it implements.

    Raises:
        PluginMisfit: an unknown hook, a wrong argument, an async function, no hook at all, or not
            the hook that belongs to the plugin's kind.
    """
    manager = new_manager()
    try:
        manager.register(plugin, name=info.name)
        manager.check_pending()
    except PluginValidationError as error:
        raise PluginMisfit(f"plugin {info} does not fit this core: {one_line(error)}") from error
    hooks = []
    for caller in manager.get_hookcallers(plugin) or []:
        hooks.append(caller.name)
        for implementation in caller.get_hookimpls():
            function = implementation.function
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                raise PluginMisfit(
                    f"plugin {info} does not fit this core: {caller.name} is async; hooks are "
                    "synchronous and quick, work that waits belongs into what they return"
                )
    if not hooks:
        raise PluginMisfit(f"plugin {info} implements no hook")
    wanted = KIND_HOOKS.get(info.kind)
    if info.distribution and wanted is not None and wanted not in hooks:
        raise PluginMisfit(
            f"plugin {info} does not fit this core: its name says {info.kind}, and it does not "
            f"implement {wanted}"
        )
    return sorted(hooks)


def check_route(info: PluginInfo, route: Route) -> None:
    """Check a route.

    Raises:
        PluginMisfit: the template does not begin with a slash, or the handler is not async.
    """
    where = f"plugin {info}: route {route.method} {route.template}"
    if not route.template.startswith("/"):
        raise PluginMisfit(f"{where}: its path must begin with a slash")
    if not is_async(route.handler):
        raise PluginMisfit(f"{where}: its handler must be an async function")


def is_async(function: object) -> bool:
    """Whether calling *function* returns an awaitable, as far as inspection can tell."""
    while isinstance(function, functools.partial):
        function = function.func
    # An object with an async __call__ is accepted, too.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  (inspected, not tested for callability)
    )


def failed(info: PluginInfo, hook: str, error: BaseException) -> PluginBroken:
    """The error for a hook that raised *error*, which is not meant for the user."""
    return PluginBroken(f"plugin {info} failed in {hook}: {one_line(repr(error))}")
