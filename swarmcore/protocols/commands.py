"""What a plugin adds to the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand that a plugin adds to ``swarmcore``.

    Attributes:
        name: as typed.
        help: one line.
        configure: adds arguments to an ``argparse.ArgumentParser``.
        run: parsed arguments -> exit status.
    """

    name: str
    help: str
    configure: Callable[[Any], None]
    run: Callable[[Any], int]
