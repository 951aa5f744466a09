"""The programs that embedded containers can run: some of busybox's, in a few lines each.

A program is an async function of its ``Process``; it returns the exit code.  A container with
another program runs until it is stopped, and has no task.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import trio

from swarmcore.testing.embedded.output import STDERR, STDOUT

#: The exit code of a shell for a command that does not exist.
NOT_FOUND = 127


class Files(Protocol):
    """The files of a container, as a program uses them."""

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: there is no such file.
        """
        ...

    def names(self, path: str) -> Sequence[str]:
        """Return the names in a folder.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        ...


@dataclass(frozen=True, slots=True)
class Process:
    """A process and its environment.

    Attributes:
        argv: program and arguments.
        environment: environment variables.
        hostname: the container's host name.
        read: returns a piece of standard input; ``b""`` at its end.
        write: writes data to a stream (1 or 2).
        files: the container's files.
        tty: whether its streams are a terminal.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    hostname: str
    read: Callable[[], Awaitable[bytes]]
    write: Callable[[int, bytes], Awaitable[None]]
    files: Files
    tty: bool = False

    async def say(self, text: str, stream: int = STDOUT) -> None:
        """Write one line."""
        await self.write(stream, text.encode() + b"\n")


Program = Callable[[Process], Awaitable[int]]


def find_program(argv: Sequence[str]) -> Program | None:
    """Return the built-in program that *argv* starts, or ``None``."""
    return PROGRAMS.get(argv[0].rpartition("/")[2]) if argv else None


async def _true(process: Process) -> int:
    await trio.lowlevel.checkpoint()
    return 0


async def _false(process: Process) -> int:
    await trio.lowlevel.checkpoint()
    return 1


async def _echo(process: Process) -> int:
    words = list(process.argv[1:])
    end = b"\n"
    if words[:1] == ["-n"]:
        words, end = words[1:], b""
    await process.write(STDOUT, " ".join(words).encode() + end)
    return 0


async def _sleep(process: Process) -> int:
    try:
        seconds = sum(_seconds(word) for word in process.argv[1:])
    except ValueError:
        await process.say(f"sleep: invalid number '{process.argv[1]}'", STDERR)
        return 1
    await trio.sleep(seconds)
    return 0


def _seconds(word: str) -> float:
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(word[-1:])
    return float(word[:-1]) * unit if unit else float(word)


async def _cat(process: Process) -> int:
    code = 0
    for path in process.argv[1:] or ["-"]:
        if path == "-":
            while data := await process.read():
                await process.write(STDOUT, data)
            continue
        try:
            await process.write(STDOUT, process.files.read(path))
        except FileNotFoundError:
            await process.say(f"cat: can't open '{path}': No such file or directory", STDERR)
            code = 1
    return code


async def _ls(process: Process) -> int:
    path = next((word for word in process.argv[1:] if not word.startswith("-")), "/")
    try:
        for name in process.files.names(path):
            await process.say(name)
    except FileNotFoundError:
        await process.say(f"ls: {path}: No such file or directory", STDERR)
        return 1
    return 0


async def _hostname(process: Process) -> int:
    await process.say(process.hostname)
    return 0


async def _env(process: Process) -> int:
    for key, value in process.environment.items():
        await process.say(f"{key}={value}")
    return 0


#: Name -> program; a test may add programs.
PROGRAMS: dict[str, Program] = {
    "true": _true,
    ":": _true,
    "false": _false,
    "echo": _echo,
    "sleep": _sleep,
    "cat": _cat,
    "ls": _ls,
    "hostname": _hostname,
    "env": _env,
}
