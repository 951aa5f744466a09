"""The command line: tables of options, sources of their values, help, commands."""

from swarmcore.command_line.command import Call, Command
from swarmcore.command_line.flags import Option
from swarmcore.command_line.setting_sources import Setting, resolve
from swarmcore.command_line.usage import Usage

__all__ = [
    "Call",
    "Command",
    "Option",
    "Setting",
    "Usage",
    "resolve",
]
