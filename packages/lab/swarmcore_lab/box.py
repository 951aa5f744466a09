"""A box: a small container of Linux namespaces in which a long-running program of the lab runs.

A box has its own process, mount and host name namespaces, and usually its own network namespace.
Its first process reads from a pipe that this program holds open.  So everything in the box ends
when the box is closed, and also when this program dies: the kernel kills the other processes of the
box with the first one, and removes mounts and network with the last one.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import children_of, last_lines, start_time, wait_until

_START_SECONDS = 20.0
_END_SECONDS = 20.0
_STOP_SECONDS = 30.0

# A sysfs shows the links of the network namespace in which it was mounted, and dockerd looks there
# for its bridges.  Only two folders are replaced, because a whole new sysfs would hide the control
# groups and AppArmor.
#
# $1: host name.  $2: folder that becomes /etc/docker; it has the engine's id, which all engines of
# the machine would share otherwise.  $3: file that becomes /etc/resolv.conf, which may be a link
# into /run, where the tmpfs has just been mounted.
_SETUP = """
set -e
mount -t tmpfs -o mode=755 lab-run /run
mkdir -p /run/lock /run/lab-sys
mount -t sysfs lab-sys /run/lab-sys
for net in class/net devices/virtual/net; do mount --bind "/run/lab-sys/$net" "/sys/$net"; done
resolv=$(readlink -m /etc/resolv.conf)
mkdir -p /etc/docker "$(dirname "$resolv")"
mount --bind "$2" /etc/docker
[ -e "$resolv" ] || : > "$resolv"
mount --bind "$3" "$resolv"
hostname "$1"
echo ready
exec tini-static -- cat
"""


@dataclass(slots=True)
class BoxProcess:
    """A program in a box.

    Attributes:
        pid: its process id outside the box.
        entry: its parent, a process of ``nsenter``.
    """

    pid: int
    entry: "subprocess.Popen[bytes]"

    def is_running(self) -> bool:
        """Return whether the program still runs."""
        return self.entry.poll() is None

    def end(self, number: signal.Signals, name: str) -> None:
        """End the program with a signal, and wait for its end; do nothing if it has ended.

        Raises:
            LabError: it did not end within half a minute; the text has *name*.
        """
        if not self.is_running():
            return
        self.signal(number)
        self.signal(signal.SIGCONT)  # also wakes nsenter, which reports the end of its child
        try:
            self.entry.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"lab: {name} did not end on {number.name}") from error

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal; do nothing if it has ended."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            # nsenter stops itself when its child stops, and does not continue with its child.
            if number == signal.SIGCONT:
                self.entry.send_signal(number)


class Box:
    """One box; it exists between :meth:`open` and :meth:`close`."""

    def __init__(self, name: str, folder: Path, *, own_network: bool, nameserver: str) -> None:
        """Store the settings; :meth:`open` makes the box.

        Args:
            name: its host name.
            folder: an existing folder for this box only, outside the box; gets ``etc-docker`` and
                ``resolv.conf``.
            own_network: False runs its programs in the network namespace of this process.
            nameserver: the address for its ``resolv.conf``.
        """
        self.name = name
        self._folder = folder
        self._own_network = own_network
        self._nameserver = nameserver
        self._process: subprocess.Popen[bytes] | None = None
        self._processes: list[BoxProcess] = []
        self._pid: int | None = None
        self._started: str | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the first process of the box runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the first process, outside the box.

        Raises:
            LabError: the box is not open.
        """
        if self._pid is None:
            raise LabError(f"lab: {self.name} is switched off")
        return self._pid

    def open(self) -> None:
        """Make the namespaces and start the first process.

        Raises:
            LabError: a command in the box failed; the text has its output.
        """
        etc, resolv = self._folder / "etc-docker", self._folder / "resolv.conf"
        etc.mkdir(exist_ok=True)
        resolv.write_text(f"nameserver {self._nameserver}\n")
        network = ["--net"] if self._own_network else []
        spaces = ["--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", *network]
        inside = ["sh", "-c", _SETUP, "box", self.name, str(etc), str(resolv)]
        self._process = subprocess.Popen(
            ["unshare", *spaces, *inside],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if said != b"ready\n":
            said += self._process.stdout.read()
            raise LabError(f"lab: box {self.name}: {said.decode(errors='replace').strip()}")
        self._process.stdout.close()
        self._pid = children_of(self._process.pid)[0]
        self._started = start_time(self._pid)

    def enter_command(self) -> list[str]:
        """Return the beginning of a command line that runs a command in this box."""
        network = ["--net"] if self._own_network else []
        return ["nsenter", "--target", str(self.pid), "--mount", "--uts", "--pid", *network, "--"]

    def spawn(self, argv: list[str], env: Mapping[str, str], log: Path) -> BoxProcess:
        """Start a program in the box, and append its output to a log file.

        Args:
            argv: the program and its arguments.
            env: its whole environment.
            log: a file outside the box.

        Raises:
            LabError: the program ended at once, or the box is not open.
        """
        with log.open("ab") as output:
            entry = subprocess.Popen(
                [*self.enter_command(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env),
                start_new_session=True,
            )
        process = BoxProcess(0, entry)
        self._processes.append(process)
        found: list[int] = []

        def has_child() -> bool:
            found[:] = children_of(entry.pid)
            if entry.poll() is not None:
                said = last_lines(log)
                raise LabError(f"lab: {self.name}: {argv[0]} ended at once, {log} says: {said}")
            return bool(found)

        wait_until(has_child, f"{argv[0]} in {self.name}", seconds=_START_SECONDS)
        process.pid = found[0]
        return process

    def close(self) -> None:
        """End everything in the box and wait for its end; a second call does nothing.

        Raises:
            LabError: a process in the box did not end in time.
        """
        process = self._process
        if process is None:
            return
        # The start time is compared, in case another process has got the pid meanwhile.
        if self._pid is not None and start_time(self._pid) == self._started:
            os.kill(self._pid, signal.SIGKILL)
        else:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        for entry in (process, *(started.entry for started in self._processes)):
            try:
                entry.wait(_END_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise LabError(f"lab: {self.name}: processes would not end") from error
        self._process = self._pid = None
        self._processes.clear()
