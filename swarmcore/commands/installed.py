"""Commands that installed plugins bring: listed for help, and loaded to be run."""

import logging
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points

from swarmcore.command_line import Command
from swarmcore.errors import SwarmError
from swarmcore.plugins.catalogue import COMMAND_KIND, GROUP, LOADED_WHEN_INSTALLED, installed

_log = logging.getLogger(__name__)


def listed_commands() -> list[Command]:
    """The commands of every ``command_*`` plugin, for help.

    Imports the modules that these entry points name and nothing else, stevedore and the checks of
    hooks included, because help must be quick.  A plugin that fails is named in the log.
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
    """The commands of ``command_*`` plugins, then those of all that is loaded when installed.

    The second part is loaded only when it is asked for.  A plugin that is broken is named in the
    log, and does not hide the others.

    Raises:
        PluginConflict: two plugins bring one command.
    """
    from swarmcore.plugins.plugins import Plugins

    plugins = Plugins()
    for kinds in (frozenset({COMMAND_KIND}), LOADED_WHEN_INSTALLED):
        for info in [info for info in installed() if info.kind in kinds]:
            try:
                plugins.load([info.name])
            except SwarmError as error:
                _log.warning("%s", error)
        yield [command for _, command in plugins.commands()]
