"""Help texts of the command line, made from tables of options.  Pure."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swarmcore.command_line.flags import Option

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Usage:
    """The help of one command.

    Attributes:
        name: the command; empty for the program itself.
        help: one line.
        argument: placeholder for the positional argument.
        options: the table of options.
        epilog: text after the options.
        mixed: whether options may also follow the argument.
        aliases: other names of the command.
    """

    name: str
    help: str
    argument: str = ""
    options: Sequence[Option] = ()
    epilog: str = ""
    mixed: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The full command, such as ``swarmcore manage``."""
        return f"swarmcore {self.name}".strip()


def program_help(commands: Iterable[Usage], options: Sequence[Option]) -> str:
    """The text of ``swarmcore --help``."""
    rows = [(usage.name, usage.help) for usage in commands]
    rows.append(("help [COMMAND]", "this text, or a command's"))
    return (
        "Usage: swarmcore [OPTIONS] COMMAND [OPTIONS] [ARGUMENT]\n\n"
        "One Docker API endpoint in front of a whole fleet of Docker Engines.\n\n"
        f"Commands:\n{_table(rows)}\n"
        f"Options:\n{_option_rows(options)}"
        f"{_table([('--help, -h', 'this text'), ('--version, -v', 'the version')])}\n"
    )


def command_help(usage: Usage) -> str:
    """The text of ``swarmcore COMMAND --help``."""
    argument = f" {usage.argument}" if usage.argument else ""
    heading = f"Usage: {usage.command} [OPTIONS]{argument}\n\n{_sentence(usage.help)}\n\n"
    epilog = f"\n{usage.epilog}" if usage.epilog else ""
    return f"{heading}Options:\n{_option_rows(usage.options)}{epilog}"


def _option_rows(options: Sequence[Option]) -> str:
    flags = [option for option in options if option.place != "argument"]
    return _table([(_spelling(option), _explanation(option)) for option in flags])


def _spelling(option: Option) -> str:
    value = "" if option.kind == "switch" else f" {option.value}"
    names = ", ".join(
        f"-{name}" if len(name) == 1 else f"--{name}" for name in (option.name, *option.aliases)
    )
    return names + value


def _explanation(option: Option) -> str:
    facts = []
    if option.default and option.kind != "switch":
        facts.append(f"default {', '.join(option.default)}")
    if option.env:
        facts.append(f"${option.env}")
    return f"{option.help} ({'; '.join(facts)})" if facts else option.help


def _table(rows: Sequence[tuple[str, str]]) -> str:
    column = 34
    lines = []
    for left, right in rows:
        wrapped = textwrap.wrap(right, _WIDTH - column)
        if len(left) > column - 4:
            lines.append(f"  {left}")
            left = ""
        lines.append(f"  {left:<{column - 2}}{wrapped[0]}")
        lines += [" " * column + line for line in wrapped[1:]]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
