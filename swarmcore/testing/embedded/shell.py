"""A very small shell: enough for ``sh -c 'echo hi; exit 3'`` and for typing at a prompt.

It knows ``;``, ``&&``, ``||``, ``>&2``, ``$VARIABLE``, ``exit`` and ``while true; do ...; done``.
"""

import os.path
import re
import shlex
from dataclasses import replace

import trio

from swarmcore.testing.embedded.output import STDERR, STDOUT
from swarmcore.testing.embedded.programs import NOT_FOUND, PROGRAMS, Process

_LOOP = re.compile(r"\s*while\s+(?:true|:)\s*;\s*do\s+(.*?);?\s*done\s*;?(.*)", re.S)
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*|\?)\}?")
_SEPARATORS = frozenset({";", "&&", "||"})
_PROMPT = b"/ # "


class _Exit(Exception):
    """Ends a script at ``exit``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def shell(process: Process) -> int:
    """Run ``sh``: a script after ``-c``, a file, or the lines of standard input."""
    arguments = list(process.argv[1:])
    try:
        if arguments[:1] in (["-c"], ["-ec"], ["-lc"]):
            return await _script(process, arguments[1] if len(arguments) > 1 else "", 0)
        if arguments and not arguments[0].startswith("-"):
            return await _file(process, arguments[0])
        return await _interactive(process)
    except _Exit as asked:
        return asked.code


async def _file(process: Process, path: str) -> int:
    try:
        script = process.files.read(path).decode("utf-8", "replace")
    except FileNotFoundError:
        await process.say(f"sh: can't open '{path}': No such file or directory", STDERR)
        return 2
    return await _script(process, script, 0)


async def _interactive(process: Process) -> int:
    """Run the lines of standard input; on a terminal, show a prompt and echo the input."""
    code, buffer = 0, b""
    if process.tty:
        await process.write(STDOUT, _PROMPT)
    while data := await process.read():
        if process.tty:
            data = data.replace(b"\r", b"\n")
            await process.write(STDOUT, data)
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            code = await _script(process, line.decode("utf-8", "replace"), code)
            if process.tty:
                await process.write(STDOUT, _PROMPT)
        if buffer == b"\x04":  # Ctrl-D, the end of transmission
            break
    return await _script(process, buffer.strip(b"\x04").decode("utf-8", "replace"), code)


async def _script(process: Process, script: str, code: int) -> int:
    """Run *script*; return the exit code of its last command.

    Raises:
        _Exit: the script calls ``exit``.
    """
    while loop := _LOOP.fullmatch(script):
        while True:
            code = await _script(process, loop[1], code)
            await trio.lowlevel.checkpoint()
    lexer = shlex.shlex(script.replace("\n", ";"), posix=True, punctuation_chars=";&|>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError as error:
        await process.say(f"sh: syntax error: {error}", STDERR)
        return 2
    command: list[str] = []
    before = ";"
    for word in [*words, ";"]:
        if word.strip(";") and word not in _SEPARATORS:
            command.append(word)
            continue
        if command and _is_due(before, code):
            code = await _command(process, command, code)
        command, before = [], word
    return code


def _is_due(separator: str, code: int) -> bool:
    return separator[0] == ";" or (code == 0) == (separator == "&&")


async def _command(process: Process, words: list[str], code: int) -> int:
    words, to_stderr = _redirected(words)
    words = [_expand(word, process, code) for word in words]
    if words[0] == "exit":
        raise _Exit(int(words[1]) if len(words) > 1 and words[1].isdigit() else code)
    if words[0] == "exec" and len(words) > 1:
        words = words[1:]
    program = PROGRAMS.get(os.path.basename(words[0]))
    if program is None:
        await process.say(f"sh: {words[0]}: not found", STDERR)
        return NOT_FOUND
    if not to_stderr:
        return await program(replace(process, argv=words))

    async def write(stream: int, data: bytes) -> None:
        await process.write(STDERR, data)

    return await program(replace(process, argv=words, write=write))


def _redirected(words: list[str]) -> tuple[list[str], bool]:
    """Remove ``>&2``, in any of the forms into which it is split; return whether it was there."""
    for mark in (["1", ">&", "2"], [">&", "2"], ["1>&2"], [">&2"]):
        for start in range(len(words) - len(mark) + 1):
            if words[start : start + len(mark)] == mark:
                return words[:start] + words[start + len(mark) :], True
    return words, False


def _expand(word: str, process: Process, code: int) -> str:
    return _VARIABLE.sub(
        lambda found: str(code) if found[1] == "?" else process.environment.get(found[1], ""), word
    )


PROGRAMS["sh"] = PROGRAMS["ash"] = PROGRAMS["bash"] = shell
