"""Go's grammar of flags over a table of options: ``-x`` is ``--x``, and ``--x=v`` is ``--x v``.

Knows how an option may be written, in words and in values.  Refuses to know which options there are
and what they mean: those are rows of tables elsewhere.  Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swarmcore.errors import ConfigError
from swarmcore.go import parse_bool, parse_duration

Kind = Literal["text", "switch", "number", "duration", "texts", "pairs"]


@dataclass(frozen=True, slots=True)
class Option:
    """One row: a name that a flag, an environment variable and a key of the file share.

    Attributes:
        name: long form, without dashes.
        help: one line.
        kind: how the value is read; ``texts`` and ``pairs`` may be given repeatedly.
        default: as it would be written; several for a repeatable option.
        aliases: other spellings of the flag.
        env: the variable; empty for ``SWARMCORE_<NAME>``.
        value: what help shows for the value.
        place: ``flag``; ``argument`` for a positional word; ``start`` for a flag that only says
            how to start, and is no key of the file.
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
        """What the given *texts* mean.

        Returns:
            A tuple of ``str`` for ``texts``, of pairs for ``pairs``; else one value, from the last
            text: ``str``, ``bool``, ``int``, or ``float`` seconds.

        Raises:
            ValueError: and why.
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
    """A boolean as Go reads it.

    Raises:
        ValueError: it is not a boolean.
    """
    try:
        return parse_bool(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def split_arguments(
    arguments: Sequence[str], options: Iterable[Option], command: str, *, mixed: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """Read flags up to the first word that is none, or *mixed* with such words.

    Args:
        arguments: words of the command line.
        options: the table.
        command: what help is asked with, for messages: ``swarmcore manage``.
        mixed: go on reading flags behind a word that is none; ``--`` ends them.

    Returns:
        The texts given, by option name, in order; and the words that remain.

    Raises:
        ConfigError: an unknown flag, or a value missing.
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
    """Note what *word* gives, with the next word where it needs one."""
    name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
    option = spellings.get(name)
    if option is None:
        raise ConfigError(f"unknown option {word!r}; see '{command} --help'")
    if not equals:
        if option.kind == "switch":
            text = "true"
        elif words:
            text = words.pop(0)
        else:
            raise ConfigError(f"option {word!r} needs a value; see '{command} --help'")
    given.setdefault(option.name, []).append(text)


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
