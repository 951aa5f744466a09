"""Helpers for processes and commands of this machine, and the check whether labs can run on it."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from swarmcore_lab.errors import LabError

#: The commands of Debian's packages that the lab calls itself.
COMMANDS = ("ip", "iptables", "nsenter", "unshare", "mount", "tini-static", "runc")

#: How often a state is checked while waiting for it.
_POLL_SECONDS = 0.02

#: Held while labs of dead programs are removed, and while a new lab takes its name.
_LOCK = Path("/run/swarmcore-lab.lock")


def run(*argv: str) -> str:
    """Run a short command to its end and return its output.

    Args:
        argv: the command and its arguments.

    Raises:
        LabError: it failed or took more than 30 seconds; the text has its output.
    """
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"lab: {' '.join(argv)}: {error}") from error
    if done.returncode != 0:
        why = (done.stderr or done.stdout).strip()
        raise LabError(f"lab: {' '.join(argv)}: exit status {done.returncode}: {why}")
    return done.stdout


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Make other programs wait that begin or remove labs on this machine; for short work."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    seconds: float,
    stop: threading.Event | None = None,
) -> None:
    """Check a condition repeatedly until it is true.

    Args:
        condition: called again and again; it may raise an error to give up at once.
        what: the state, for the text of the error.
        seconds: the time limit in seconds.
        stop: an event that ends the wait early.

    Raises:
        LabError: the condition was not true in time, or ``stop`` was set.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if stop is not None and stop.is_set():
            raise LabError(f"lab: closing while waiting for {what}")
        if time.monotonic() > deadline:
            raise LabError(f"lab: waited {seconds:g} s in vain for {what}")
        time.sleep(_POLL_SECONDS)


def parent_of(pid: int) -> int | None:
    """Return the parent of a process, or ``None`` if there is no such process."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; with the pid it is unique."""
    fields = _stat(pid)
    return fields[19] if fields else None


def command_of(pid: int) -> str:
    """Return the kernel's short name of a process ("dockerd"), or "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def children_of(pid: int) -> list[int]:
    """Return the process ids of the living children of a process."""
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdecimal())
    return [child for child in pids if parent_of(child) == pid]


def is_stopped(pid: int) -> bool:
    """Return whether every thread of a process is stopped; this takes a while after SIGSTOP."""
    return all(_stat(f"{pid}/task/{thread}")[:1] in (["T"], []) for thread in _threads(pid))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def last_lines(log: Path, count: int = 5) -> str:
    """Return the last lines of a log, joined to one line for an error."""
    return " / ".join(log.read_text(errors="replace").splitlines()[-count:])


def _stat(process: int | str) -> list[str]:
    # The name in parentheses may contain any character, so fields are counted from its end.
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


@functools.cache
def missing_ability() -> str | None:
    """Return why namespaces cannot be made here, or ``None`` if they can."""
    if sys.platform != "linux":
        return "real engines need Linux"
    if os.geteuid() != 0:
        return "real engines need root"
    missing = [command for command in COMMANDS if shutil.which(command, path=PATH) is None]
    if missing:
        return f"{', '.join(missing)} missing: run scripts/lab-install as root"
    probe: Sequence[str] = ("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true")
    try:
        run(*probe)
    except LabError as error:
        return f"namespaces cannot be made here: {error}"
    return None


#: The folders of system programs, also if the caller's PATH lacks sbin.
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
