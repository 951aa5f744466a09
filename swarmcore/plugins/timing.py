"""Measures each call of a plugin's hook: a slow one is logged with the plugin's name.

A hook is called in the event loop, so all requests wait for it.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from swarmcore import clock
from swarmcore.plugins.catalogue import PluginInfo

_log = logging.getLogger(__name__)

#: After this time, a call of a hook is logged.
SLOW_SECONDS = 1.0


class HookTimer:
    """Calls hooks; with ``SWARMCORE_TRACE_PLUGINS``, logs each call with its time."""

    def __init__(self) -> None:
        self._is_tracing = bool(os.environ.get("SWARMCORE_TRACE_PLUGINS"))

    def loaded(self, info: PluginInfo, hooks: Sequence[str]) -> None:
        """Log which hooks a plugin implements, if calls are traced."""
        if self._is_tracing:
            _log.info("plugin %s implements %s", info, ", ".join(hooks))

    def call(
        self,
        info: PluginInfo,
        hook: str,
        implementation: Callable[..., Any],
        arguments: Mapping[str, Any],
    ) -> Any:
        """Call a hook of a plugin and return its result; its exceptions are not changed."""
        began = clock.stopwatch()
        try:
            return implementation(**arguments)
        finally:
            seconds = clock.stopwatch() - began
            if seconds >= SLOW_SECONDS:
                _log.warning(
                    "plugin %s took %.1f s in %s; all requests waited", info, seconds, hook
                )
            elif self._is_tracing:
                _log.info("plugin %s: %s took %.3f ms", info, hook, 1000 * seconds)
