"""Determines option values: from flags, environment, a TOML file, or defaults, in this order."""

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
    """The value of one option.

    Attributes:
        option: the option.
        texts: as written; several for a repeatable option.
        origin: ``flag --host``, ``environment SWARM_HOST``, ``file /etc/swarmcore.toml`` or
            ``default``.
    """

    option: Option
    texts: tuple[str, ...]
    origin: str = "default"

    @property
    def given(self) -> bool:
        """Whether the value is not the default."""
        return self.origin != "default"

    @property
    def value(self) -> Any:
        """The value, converted by the option's kind.

        Raises:
            ConfigError: invalid; the message names the option and the source.
        """
        try:
            return self.option.read(self.texts)
        except ValueError as error:
            source = "" if self.origin.startswith("flag") else f" (from {self.origin})"
            raise ConfigError(f"invalid --{self.option.name}: {error}{source}") from None

    def __str__(self) -> str:
        """A line of TOML with the value, and its origin as a comment; a default is commented out.

        All lines together are a valid file for ``--config``.
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
    """Determine the values of all options, by name.

    A source replaces those after it completely: flags of a repeatable option are not added to the
    values of the environment variable.

    Args:
        options: the table of options.
        given: flags and argument; see ``split_arguments``.
        environment: environment variables; an empty one counts as not set.
        file: the configuration file, if any.
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
        # Many programs use DEBUG with other values, which classic ignores, too.
        try:
            read_switch(text)
        except ValueError:
            return ()
    parts = text.split(",") if option.repeatable else [text]
    return tuple(part.strip() for part in parts if part.strip())


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A parsed configuration file, with values as texts by option name."""

    path: str
    texts: Mapping[str, tuple[str, ...]]


def read_config_file(path: str, options: Iterable[Option]) -> ConfigFile:
    """Read a configuration file, whose keys are the options' long names.

    Args:
        path: path of a TOML file.
        options: the allowed options.

    Raises:
        ConfigError: unreadable, not TOML, or an unknown key or invalid value.
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
    """Join the keys of nested tables: TOML reads ``swarm.overcommit = 0.1`` as a nested table."""
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
