"""Where each option's value comes from: flags, then environment, then a TOML file, then default.

Knows sources and their order.  Refuses to know what a value is for.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarmcore.command_line.flags import Option, read_switch
from swarmcore.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Setting:
    """One option as it holds.

    Attributes:
        option: the row of the table.
        texts: as written; several for a repeatable option.
        origin: ``flag --host``, ``environment SWARM_HOST``, ``file /etc/swarmcore.toml`` or
            ``default``.
    """

    option: Option
    texts: tuple[str, ...]
    origin: str = "default"

    @property
    def given(self) -> bool:
        """Whether somebody said so."""
        return self.origin != "default"

    @property
    def value(self) -> Any:
        """What the texts mean, by the option's kind.

        Raises:
            ConfigError: they mean nothing; the message names the option and the source.
        """
        try:
            return self.option.read(self.texts)
        except ValueError as error:
            source = "" if self.origin.startswith("flag") else f" (from {self.origin})"
            raise ConfigError(f"invalid --{self.option.name}: {error}{source}") from None

    def __str__(self) -> str:
        """A line of TOML that means the same, with its origin; a default is all comment.

        So the lines together are a file for ``--config``, in which a default stays one.
        """
        option = self.option
        if option.repeatable:
            value = json.dumps(list(self.texts), ensure_ascii=False)
        elif option.kind in ("switch", "number"):
            value = json.dumps(self.value)
        else:
            value = json.dumps(self.value if option.kind == "text" else self.texts[-1])
        mark = "" if self.given else "# "
        return f"{mark}{option.name} = {value}  # {self.origin}"


def resolve(
    options: Iterable[Option],
    given: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    file: "ConfigFile | None" = None,
) -> dict[str, Setting]:
    """Every option of the table with the value that holds, by name.

    A source replaces the ones below it whole: flags of a repeatable option are not added to the
    variable's.

    Args:
        options: the table.
        given: flags and argument, as ``split_arguments`` returns them.
        environment: variables; an empty one counts as absent.
        file: the configuration file, when there is one.
    """
    return {option.name: _resolve(option, given, environment, file) for option in options}


def _resolve(
    option: Option,
    given: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    file: "ConfigFile | None",
) -> Setting:
    if option.name in given:
        origin = "argument" if option.place == "argument" else f"flag --{option.name}"
        return Setting(option, tuple(given[option.name]), origin)
    texts = _from_environment(option, environment.get(option.variable, ""))
    if texts:
        return Setting(option, texts, f"environment {option.variable}")
    if file is not None and option.name in file.texts:
        return Setting(option, file.texts[option.name], f"file {file.path}")
    return Setting(option, option.default)


def _from_environment(option: Option, text: str) -> tuple[str, ...]:
    if option.variable == "DEBUG":
        # Many programs read DEBUG, each in its own way; as in classic, theirs is no error here.
        try:
            read_switch(text)
        except ValueError:
            return ()
    parts = text.split(",") if option.repeatable else [text]
    return tuple(part.strip() for part in parts if part.strip())


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A TOML file, its values as texts by option name."""

    path: str
    texts: Mapping[str, tuple[str, ...]]


def read_config_file(path: str, options: Iterable[Option]) -> ConfigFile:
    """Read a configuration file: keys are the options' long names.

    Args:
        path: of a TOML file.
        options: what may be in it.

    Raises:
        ConfigError: unreadable, not TOML, or a key or value that does not belong there.
    """
    known = {option.name: option for option in options if option.place != "start"}
    try:
        with Path(path).open("rb") as file:
            read = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"--config {path}: cannot read it: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"--config {path}: not TOML: {error}") from None
    unknown = sorted(read.keys() - known.keys())
    if unknown:
        raise ConfigError(
            f"--config {path}: unknown key {unknown[0]!r}; keys are the long names of "
            "'swarmcore manage' options"
        )
    return ConfigFile(
        path, {key: _texts(known[key], value, f"{path}: {key}") for key, value in read.items()}
    )


def _texts(option: Option, value: Any, where: str) -> tuple[str, ...]:
    if option.kind == "pairs" and isinstance(value, dict):
        return tuple(f"{key}={text}" for key, text in _flat(value, where))
    if option.repeatable:
        values = value if isinstance(value, list) else [value]
        return tuple(_text(each, where) for each in values)
    return (_text(value, where),)


def _flat(table: Mapping[str, Any], where: str, prefix: str = "") -> Iterable[tuple[str, str]]:
    """``swarm.overcommit = 0.1`` is a table in a table to TOML, and one key to us."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, where, f"{prefix}{key}.")
        else:
            yield prefix + key, _text(value, where)


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigError(f"--config {where} cannot be {type(value).__name__}; see docs/options.md")
