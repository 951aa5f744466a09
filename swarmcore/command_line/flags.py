"""Parses flags with Go's grammar: ``-x`` is the same as ``--x``, and ``--x=v`` as ``--x v``.

The options themselves are in tables in other modules.  Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swarmcore.errors import ConfigError
from swarmcore.go_formats import parse_bool, parse_duration
from swarmcore.similar import did_you_mean

Kind = Literal["text", "switch", "number", "duration", "texts", "pairs"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its flag, environment variable and key in the config file.

    Attributes:
        name: long name without dashes.
        help: one line.
        kind: type of the value; ``texts`` and ``pairs`` may be given repeatedly.
        default: default value as text; several for a repeatable option.
        aliases: other names of the flag.
        env: environment variable; empty for ``SWARMCORE_<NAME>``.
        value: placeholder for the value in help.
        place: ``flag``; ``argument`` for a positional argument; ``start`` for a flag that is not
            allowed in the config file.
    """

    name: str
    help: str
    kind: Kind = "text"
    default: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    env: str = ""
    value: str = "VALUE"
    place: Literal["flag", "argument", "start"] = "flag"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.env or f"SWARMCORE_{self.name.upper().replace('-', '_')}"

    @property
    def repeatable(self) -> bool:
        """Whether it may be given several times."""
        return self.kind in ("texts", "pairs")

    def read(self, texts: Sequence[str]) -> Any:
        """Convert the given *texts* to a value.

        Returns:
            A tuple of ``str`` for ``texts``, of pairs for ``pairs``; otherwise the value of the
            last text: ``str``, ``bool``, ``int``, or ``float`` for seconds.

        Raises:
            ValueError: the text is not valid for this kind.
        """
        if self.kind == "texts":
            return tuple(texts)
        if self.kind == "pairs":
            return tuple(_read_pair(text) for text in texts)
        text = texts[-1] if texts else ""
        match self.kind:
            case "switch":
                return read_switch(text or "false")
            case "number":
                return _read_number(text)
            case "duration":
                return parse_duration(text)
        return text


def read_switch(text: str) -> bool:
    """Parse a boolean as Go does.

    Raises:
        ValueError: not a boolean.
    """
    try:
        return parse_bool(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def split_arguments(
    arguments: Sequence[str], options: Iterable[Option], command: str, *, mixed: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """Parse flags up to the first other word; if *mixed*, also flags after other words.

    Args:
        arguments: words of the command line.
        options: the table of options.
        command: the command for messages, such as ``swarmcore manage``.
        mixed: whether flags may follow other words, up to ``--``.

    Returns:
        The given texts by option name, in order; and the remaining words.

    Raises:
        ConfigError: an unknown flag, or a missing value.
    """
    spellings = {
        spelling: option
        for option in options
        if option.place != "argument"
        for spelling in (option.name, *option.aliases)
    }
    given: dict[str, list[str]] = {}
    words, passed = list(arguments), []
    while words:
        word = words[0]
        is_flag = word.startswith("-") and word != "-"
        if not is_flag and not mixed:
            break
        words.pop(0)
        if word == "--":
            break
        if is_flag:
            _take_flag(word, words, spellings, given, command)
        else:
            passed.append(word)
    return given, passed + words


def _take_flag(
    word: str,
    words: list[str],
    spellings: Mapping[str, Option],
    given: dict[str, list[str]],
    command: str,
) -> None:
    """Add the flag *word* with its value, which may be the next word."""
    name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
    option = spellings.get(name)
    if option is None:
        near = did_you_mean(f"--{name}", (_flag(each) for each in spellings))
        hint = near or f"see '{command} --help'"
        raise ConfigError(f"unknown option {word!r}; {hint}")
    if not equals:
        if option.kind == "switch":
            text = "true"
        elif words:
            text = words.pop(0)
        else:
            raise ConfigError(f"option {word!r} needs a value; see '{command} --help'")
    given.setdefault(option.name, []).append(text)


def _flag(name: str) -> str:
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _read_pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(f"{text!r} is not of the form key=value")
    return key, value


def _read_number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None
