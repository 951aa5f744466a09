"""Whether what a plugin brings fits this core: its hooks, and its routes.

A misfit stops the start with one line that names the plugin, long before a request meets it.
"""

import functools
import inspect
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pluggy import PluginManager, PluginValidationError

from swarmcore import hookspecs
from swarmcore.errors import PluginMisfit
from swarmcore.plugins.catalogue import KIND_HOOKS, PluginInfo
from swarmcore.plugins.importing import one_line
from swarmcore.protocols import Route

_log = logging.getLogger(__name__)


def new_manager() -> PluginManager:
    """An empty manager of the hooks; traces calls where ``SWARMCORE_TRACE_HOOKS`` is set."""
    manager = PluginManager("swarmcore")
    manager.add_hookspecs(hookspecs)
    if os.environ.get("SWARMCORE_TRACE_HOOKS"):
        manager.add_hookcall_monitoring(_trace, lambda outcome, *_: None)
    return manager


def _trace(hook: str, implementations: Sequence[Any], arguments: Mapping[str, Any]) -> None:
    names = ", ".join(each.plugin_name for each in reversed(implementations))
    _log.info("hook %s(%s): %s", hook, ", ".join(arguments), names)


def check(info: PluginInfo, plugin: object) -> list[str]:
    """See whether *plugin* fits the hooks of this core, in a manager of its own.

    Returns:
        The hooks that it implements.

    Raises:
        PluginMisfit: a hook that is not specified, a wrong argument, a coroutine, no hook, or
            not the one that an entry point of its kind is for.
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
    """See whether a route can work.

    Raises:
        PluginMisfit: a template without a slash in front, or a handler that is not async.
    """
    where = f"plugin {info}: route {route.method} {route.template}"
    if not route.template.startswith("/"):
        raise PluginMisfit(f"{where}: its path must begin with a slash")
    if not is_async(route.handler):
        raise PluginMisfit(f"{where}: its handler must be an async function")


def is_async(function: object) -> bool:
    """Whether calling *function* gives something to await, as far as can be told before."""
    while isinstance(function, functools.partial):
        function = function.func
    # An object whose __call__ is async is as good as an async function.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  (its kind is asked for, not whether)
    )
