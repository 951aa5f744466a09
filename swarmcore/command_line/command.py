"""A subcommand of ``swarmcore``: the core's own, or a plugin's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from swarmcore.command_line.settings import Setting, resolve
from swarmcore.command_line.usage import Usage
from swarmcore.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Call:
    """One command as it was called.

    Attributes:
        usage: of the command.
        given: the texts of each flag that was given, the program's own flags included, by name.
        words: what remains of the command line.
        environment: the user's variables.
    """

    usage: Usage
    given: Mapping[str, Sequence[str]]
    words: Sequence[str]
    environment: Mapping[str, str]

    def settings(self, environment: Mapping[str, str] | None = None) -> dict[str, Setting]:
        """Every option of the command, by name, from flags, variables and defaults.

        Args:
            environment: instead of all of the user's variables.
        """
        variables = self.environment if environment is None else environment
        return resolve(self.usage.options, self.given, variables)

    def refuse_words(self) -> None:
        """Raise ``ConfigError`` if there is an argument."""
        if self.words:
            raise ConfigError(f"{self.usage.name} takes no argument, and got {self.words[0]!r}")


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand.

    Attributes:
        usage: its name, its options, and what help says.
        run: does it; returns the exit status.  A ``SwarmError`` that it raises is printed as one
            line, and the status is 1.
    """

    usage: Usage
    run: Callable[[Call], int]

    @property
    def name(self) -> str:
        """As typed."""
        return self.usage.name
