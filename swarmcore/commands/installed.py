"""Commands of installed plugins, for help and for running."""

import logging
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points

from swarmcore.command_line import Command
from swarmcore.errors import SwarmError
from swarmcore.plugins.catalogue import COMMAND_KIND, GROUP, LOADED_WHEN_INSTALLED, installed

_log = logging.getLogger(__name__)


def listed_commands() -> list[Command]:
    """The commands of all ``command_*`` plugins, for help.

    Imports only the modules of these entry points, without stevedore and without checking hooks,
    so that help is fast.  A plugin that fails is logged.
    """
    found: list[Command] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name.partition("_")[0] != COMMAND_KIND:
            continue
        try:
            found += point.load().swarmcore_commands()
        except (Exception, SystemExit) as error:
            _log.warning("the commands of plugin %r cannot be listed: %r", point.name, error)
    return found


def load_commands() -> Iterator[Sequence[Command]]:
    """The commands of ``command_*`` plugins, then those of plugins loaded when installed.

    The second part is loaded only if it is requested.  A broken plugin is logged and skipped.

    Raises:
        PluginConflict: two plugins provide the same command.
    """
    from swarmcore.plugins.plugins import Plugins

    known = installed()
    plugins = Plugins(known=known)
    for kinds in (frozenset({COMMAND_KIND}), LOADED_WHEN_INSTALLED):
        for info in [info for info in known if info.kind in kinds]:
            try:
                plugins.load([info.name])
            except SwarmError as error:
                _log.warning("%s", error)
        yield [command for _, command in plugins.commands()]
