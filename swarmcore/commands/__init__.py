"""The core's commands: one module each, with its options, checks and implementation.

An implementation imports what it needs when it runs, so that help and errors about options are
shown without importing trio or plugins.
"""

from collections.abc import Sequence

from swarmcore.command_line import Command
from swarmcore.commands.demo import DEMO
from swarmcore.commands.join import JOIN
from swarmcore.commands.list import LIST
from swarmcore.commands.manage import MANAGE
from swarmcore.commands.plugin import PLUGIN
from swarmcore.commands.plugins import PLUGINS

#: In the order of ``swarmcore --help``.
CORE_COMMANDS: Sequence[Command] = (MANAGE, JOIN, LIST, PLUGINS, PLUGIN, DEMO)

__all__ = ["CORE_COMMANDS"]
