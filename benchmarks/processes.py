"""Processes under measurement: start them, read their usage from ``/proc``, and end them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_END_SECONDS = 15.0
ROOT = Path(__file__).parents[1]
#: Set in some containers.  It would let every start of a manager compile all modules, which an
#: installed manager does once, when it is installed.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def start(command: Sequence[str], *, log: Path | None = None) -> "subprocess.Popen[bytes]":
    """Start *command* in the clone's folder; Python keeps what it compiles.

    Args:
        command: the program and its arguments.
        log: gets its output; with ``None``, it gets pipes, and our standard error.
    """
    env = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    pipe = subprocess.PIPE
    if log is None:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT, env=env)
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=env,
        )


def start_module(name: str, *arguments: object) -> "subprocess.Popen[bytes]":
    """Start ``python -m`` with a module of this package."""
    return start([sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)])


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process of ``start``, and wait for its end."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a process and its descendants.

    Attributes:
        cpu: CPU seconds in user mode and in the kernel.
        memory: the resident memory in bytes.
        wakeups: how often a thread of the process itself waited and continued.
    """

    cpu: float
    memory: int
    wakeups: int


def usage(pids: Sequence[int]) -> Usage:
    """Read the usage of processes; zeros for processes that have ended.

    Args:
        pids: the process whose wake-ups are counted, and its descendants; see ``tree``.
    """
    pages = sum(int(fields[21]) for fields in map(_stat, pids) if fields)
    memory = pages * os.sysconf("SC_PAGE_SIZE")
    return Usage(cpu_seconds(pids), memory, _wakeups(pids[0]))


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the CPU seconds of processes, and of their children that have ended."""
    return sum(sum(map(int, fields[11:15])) / _TICKS for fields in map(_stat, pids) if fields)


def tree(pid: int) -> list[int]:
    """Return *pid* and its descendants; looks at every process of the machine."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, ())
    return found


def _stat(pid: int) -> Sequence[str]:
    """Return the fields of ``/proc/PID/stat`` from the state on; the 12th to 15th are CPU times."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ()


def _wakeups(pid: int) -> int:
    total = 0
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            total += int(_status(task).get("voluntary_ctxt_switches", "0"))
    return total


def _status(folder: Path) -> Mapping[str, str]:
    lines = (line.partition(":") for line in (folder / "status").read_text().splitlines())
    return {key: value.strip() for key, _, value in lines}
