"""A machine of the lab that runs one program, with a network address and a cable of its own."""

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from swarmcore_lab.box import Box, BoxProcess
from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import PATH, is_stopped, wait_until
from swarmcore_lab.network import Cable

_STOP_SECONDS = 30.0


class LabHost:
    """A machine for a program that is not an engine.  Made by ``Lab.host``.

    Attributes:
        name: its host name.
        ip: its IP address.
    """

    def __init__(
        self, name: str, cable: Cable, folder: Path, *, nameserver: str, stop: threading.Event
    ) -> None:
        """Store the settings; :meth:`start` makes the machine and starts a program."""
        self.name = name
        self.ip = cable.ip
        self._cable = cable
        self._stop = stop
        self._box = Box(name, folder, own_network=True, nameserver=nameserver)
        self._process: BoxProcess | None = None
        # After Ctrl-C, a thread may still be starting the machine: power_off waits for that thread.
        self._power = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether its program runs; it may be paused, or the network may be cut."""
        return self._process is not None and self._process.is_running()

    @property
    def pid(self) -> int:
        """The process id of its program.

        Raises:
            LabError: no program runs.
        """
        if self._process is None or not self._process.is_running():
            raise LabError(f"lab: nothing runs on {self.name}")
        return self._process.pid

    def start(self, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        """Start the program; return when its process runs.

        Args:
            argv: the program and its arguments.
            log: the file to which its output is appended.
            env: variables that are added to its environment.

        Raises:
            LabError: a program runs already, the lab is closing, or the program ended at once.
        """
        with self._power:
            if self._stop.is_set():
                raise LabError(f"lab: {self.name}: the lab is closing")
            if self.is_running:
                raise LabError(f"lab: a program runs on {self.name} already")
            if not self._box.is_open:
                self._box.open()
                self._cable.plug(self._box.pid)
            whole = {"PATH": PATH, "HOME": "/root", **(env or {})}
            self._process = self._box.spawn(list(argv), whole, log)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the program with a signal, and wait for its end.

        Raises:
            LabError: it did not end within half a minute.
        """
        if self._process is not None:
            self._process.end(number, self.name)

    def kill(self) -> None:
        """End the program with SIGKILL, like a crash."""
        self.stop(signal.SIGKILL)

    def power_off(self) -> None:
        """End everything on the machine at once, so that its address does not answer any more."""
        with self._power:
            self._box.close()
            self._cable.unplug()
            self._process = None

    # --- failures ----------------------------------------------------------------------

    def pause(self) -> None:
        """Make the program hang: the kernel accepts connections, and nothing answers."""
        if self._process is not None and self.is_running:
            self._process.signal(signal.SIGSTOP)
            pid = self._process.pid
            wait_until(lambda: is_stopped(pid), f"{self.name} to stop", seconds=_STOP_SECONDS)

    def resume(self) -> None:
        """Let the program continue after :meth:`pause`."""
        if self._process is not None:
            self._process.signal(signal.SIGCONT)

    def cut(self) -> None:
        """Cut the network: packets are lost, connections are not refused."""
        self._cable.cut()

    def mend(self) -> None:
        """Connect the network again."""
        self._cable.mend()

    def block(self, ip: str) -> None:
        """Drop all packets from and to an address; the rules are in this machine's namespace.

        Raises:
            LabError: the rules could not be made, or the machine is switched off.
        """
        self._iptables("-A", ip)

    def unblock(self, ip: str) -> None:
        """Revert :meth:`block`.

        Raises:
            LabError: the rules are not there.
        """
        self._iptables("-D", ip)

    def _iptables(self, action: str, ip: str) -> None:
        for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d")):
            rule = ["iptables", "-w", action, chain, side, ip, "-j", "DROP"]
            done = subprocess.run(
                [*self._box.enter_command(), *rule],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env={"PATH": PATH},
            )
            if done.returncode != 0:
                raise LabError(f"lab: {self.name}: {' '.join(rule)}: {done.stderr.strip()}")
