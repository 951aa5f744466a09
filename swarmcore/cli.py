"""The command ``swarmcore``: finds the subcommand, parses its flags and prints errors."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence

from swarmcore import __version__
from swarmcore.command_line import Call, Command, Option, resolve
from swarmcore.command_line.flags import split_arguments
from swarmcore.command_line.usage import command_help, program_help
from swarmcore.commands import CORE_COMMANDS
from swarmcore.commands.installed import listed_commands, load_commands
from swarmcore.commands.logs import start_logging
from swarmcore.errors import ConfigError, SwarmError, first_error
from swarmcore.options.option_tables import GLOBAL_OPTIONS
from swarmcore.printable import printable
from swarmcore.similar import did_you_mean

_log = logging.getLogger(__name__)

_HELP = Option("help", "print this help", kind="switch", aliases=("h",))
_VERSION = Option("version", "print the version", kind="switch", aliases=("v",))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the words after the program's name; ``None``: those of the process.

    Returns:
        The exit status: 0, or 1 after an error, which is printed as one line on standard error.
    """
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return _run(arguments, os.environ)
    except SwarmError as error:
        return _fail(error)
    except BaseExceptionGroup as group:
        expected, unexpected = group.split(SwarmError)
        if expected is None or unexpected is not None:
            raise
        return _fail(first_error(expected))
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    given, words = split_arguments(arguments, (*GLOBAL_OPTIONS, _HELP, _VERSION), "swarmcore")
    if "version" in given:
        return _say(f"swarmcore version {__version__}\n")
    if "help" in given or not words or words[0] in ("help", "h"):
        return _help(words[1:2])
    command = _core_command(words[0])
    if command is None:
        # Loading plugins may log.
        start_logging(resolve(GLOBAL_OPTIONS, given, environment))
        command = _plugin_command(words[0])
    usage = command.usage
    options = (*GLOBAL_OPTIONS, *usage.options, _HELP)
    later, rest = split_arguments(words[1:], options, usage.command, mixed=usage.mixed)
    if "help" in later:
        return _say(command_help(usage))
    call = Call(usage, {**given, **later}, rest, environment)
    start_logging(resolve(GLOBAL_OPTIONS, call.given, environment))
    return command.run(call)


def _help(words: Sequence[str]) -> int:
    if not words:
        commands = [*CORE_COMMANDS, *listed_commands()]
        return _say(program_help([command.usage for command in commands], GLOBAL_OPTIONS))
    command = _core_command(words[0]) or _plugin_command(words[0])
    return _say(command_help(command.usage))


def _core_command(name: str) -> Command | None:
    return _named(name, CORE_COMMANDS)


def _plugin_command(name: str) -> Command:
    """The command of an installed plugin.

    Raises:
        ConfigError: no plugin provides it; the message lists all commands.
    """
    known: list[Command] = []
    for commands in load_commands():
        if (found := _named(name, commands)) is not None:
            return found
        known += commands
    names = {command.name for command in (*CORE_COMMANDS, *known)} | {"help"}
    hint = did_you_mean(name, names, f"commands: {', '.join(sorted(names))}")
    raise ConfigError(f"no command is called {name!r}; {hint}")


def _named(name: str, commands: Sequence[Command]) -> Command | None:
    for command in commands:
        if name == command.name or name in command.usage.aliases:
            return command
    return None


def _say(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _fail(error: BaseException) -> int:
    sys.stderr.write(f"swarmcore: {printable(' '.join(str(error).split()))}\n")
    _log.debug("where it came from", exc_info=error)
    return 1
