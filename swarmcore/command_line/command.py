"""A subcommand of ``swarmcore``, of the core or of a plugin."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from swarmcore.command_line.setting_sources import Setting, resolve
from swarmcore.command_line.usage import Usage
from swarmcore.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command.

    Attributes:
        usage: the command's usage.
        given: values of each flag that was given, by name, including the program's own flags.
        words: the remaining words of the command line.
        environment: environment variables.
    """

    usage: Usage
    given: Mapping[str, Sequence[str]]
    words: Sequence[str]
    environment: Mapping[str, str]

    def settings(self, environment: Mapping[str, str] | None = None) -> dict[str, Setting]:
        """All options of the command by name, from flags, environment and defaults.

        Args:
            environment: used instead of all environment variables.
        """
        variables = self.environment if environment is None else environment
        return resolve(self.usage.options, self.given, variables)

    def refuse_words(self) -> None:
        """Check that there are no arguments.

        Raises:
            ConfigError: there is one.
        """
        if self.words:
            raise ConfigError(f"{self.usage.name} takes no argument, and got {self.words[0]!r}")


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand.

    Attributes:
        usage: name, options and help texts.
        run: runs the command and returns the exit status.  A ``SwarmError`` is printed as one line,
            with exit status 1.
    """

    usage: Usage
    run: Callable[[Call], int]

    @property
    def name(self) -> str:
        """The command's name."""
        return self.usage.name
