"""What this machine offers and the few things the lab does to it: run, look, wait.

Knows processes, commands and deadlines.  Knows nothing of engines.
"""

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

#: How often a state that is waited for is looked at.
_POLL_SECONDS = 0.02

#: Held while labs of dead programs are taken away, and while a new one takes its name.
_LOCK = Path("/run/swarmcore-lab.lock")


def run(*argv: str) -> str:
    """Run a short command to its end and return its output.

    Args:
        argv: the command and its arguments.

    Raises:
        LabError: it failed or took more than 30 seconds; the message has what it wrote.
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
    """Keep other programs that make labs on this machine waiting; for short work."""
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
    """Look at a condition until it holds.

    Args:
        condition: called again and again; may raise to give up at once.
        what: the state waited for, as the error message names it.
        seconds: when to give up.
        stop: set by whoever wants all waiting to end early.

    Raises:
        LabError: it did not hold in time, or ``stop`` was set.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if stop is not None and stop.is_set():
            raise LabError(f"lab: closing while waiting for {what}")
        if time.monotonic() > deadline:
            raise LabError(f"lab: waited {seconds:g} s in vain for {what}")
        time.sleep(_POLL_SECONDS)


def parent_of(pid: int) -> int | None:
    """The parent of a process, or None when there is no such process."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; with the pid it is unique."""
    fields = _stat(pid)
    return fields[19] if fields else None


def command_of(pid: int) -> str:
    """The kernel's short name of a process ("dockerd"), or "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def children_of(pid: int) -> list[int]:
    """The living child processes of a process."""
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdecimal())
    return [child for child in pids if parent_of(child) == pid]


def is_stopped(pid: int) -> bool:
    """Whether every thread of a process has stopped: after SIGSTOP they may run on for a while."""
    return all(_stat(f"{pid}/task/{thread}")[:1] in (["T"], []) for thread in _threads(pid))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, in one line of an error."""
    return " / ".join(log.read_text(errors="replace").splitlines()[-count:])


def _stat(process: int | str) -> list[str]:
    # The name in parentheses may hold anything, so fields are counted from behind it.
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


@functools.cache
def missing_ability() -> str | None:
    """Why namespaces cannot be made here, or None when they can."""
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


#: Where programs of the system are found, also when the caller's PATH lacks sbin.
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
