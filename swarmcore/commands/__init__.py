"""The core's own commands: one module each, with its options, its checks and its run.

A run imports what it needs when it is called: help and a mistyped option answer before trio or a
plugin is touched.
"""

from collections.abc import Sequence

from swarmcore.command_line import Command
from swarmcore.commands.demo import DEMO
from swarmcore.commands.join import JOIN
from swarmcore.commands.list import LIST
from swarmcore.commands.manage import MANAGE
from swarmcore.commands.plugins import PLUGINS

#: In the order of ``swarmcore --help``.
CORE_COMMANDS: Sequence[Command] = (MANAGE, JOIN, LIST, PLUGINS, DEMO)

__all__ = ["CORE_COMMANDS"]
