"""One real Docker Engine of the lab, and the failures that a test can cause."""

import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from swarmcore_lab import cgroups
from swarmcore_lab.box import Box, BoxProcess
from swarmcore_lab.engine_api import EngineApi
from swarmcore_lab.errors import LabError
from swarmcore_lab.images import busybox_image
from swarmcore_lab.machine import (
    children_of,
    command_of,
    is_stopped,
    last_lines,
    wait_until,
)
from swarmcore_lab.network import Cable
from swarmcore_lab.releases import Release, find_release

_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class EngineTls:
    """The PEM files of an engine that requires client certificates."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """The settings of an engine.

    Attributes:
        name: its host name, unique in the lab.
        release: a name for :func:`find_release`.
        labels: the engine's labels.
        args: more arguments for dockerd.
        tls: a function that makes TLS files for the engine's address; the engine then requires
            client certificates.
        programs: a folder that comes first in the engine's ``PATH``.
        disk_bytes: the size of a small disk in memory for the engine's data, which is lost when the
            engine is powered off; 0 for a folder without a limit.
    """

    name: str
    release: str = "20.10"
    labels: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    tls: Callable[[str], EngineTls] | None = None
    programs: Path | None = None
    disk_bytes: int = 0


class LabEngine:
    """A running engine.  Made by the lab from an :class:`EngineSpec`.

    Attributes:
        name: its host name.
        ip: its IP address.
        address: "ip:port", as in a cluster's discovery.
        labels: its labels.
        socket: its unix socket, which also works while the network is cut.
        log: the file with the output of all runs of dockerd.
        api: sends requests to that socket.
    """

    def __init__(
        self,
        spec: EngineSpec,
        cable: Cable,
        folder: Path,
        *,
        nameserver: str,
        insecure_registry: str,
        stop: threading.Event,
    ) -> None:
        """Store the settings; :meth:`start` starts the engine.

        Raises:
            LabError: its release is not on this machine.
        """
        self.name = spec.name
        self.ip = cable.ip
        self.address = f"{cable.ip}:{2376 if spec.tls else 2375}"
        self.labels = dict(spec.labels)
        self.socket = folder / "engine.sock"
        self.log = folder / "dockerd.log"
        self.api = EngineApi(spec.name, self.socket)
        self._spec = spec
        self._cable = cable
        self._folder = folder
        self._release: Release = find_release(spec.release)
        self._insecure_registry = insecure_registry
        self._stop = stop
        self._box = Box(spec.name, folder, own_network=True, nameserver=nameserver)
        self._process: BoxProcess | None = None
        # After Ctrl-C, a thread may still be starting the engine: power_off waits for that thread.
        self._power = threading.Lock()

    def __repr__(self) -> str:
        """Return name, release and address."""
        return f"<LabEngine {self.name} {self.release} {self.address}>"

    @property
    def release(self) -> str:
        """The release's name, such as "20.10"."""
        return self._release.name

    @property
    def pid(self) -> int:
        """The process id of its dockerd.

        Raises:
            LabError: dockerd is not running.
        """
        if self._process is None or not self._process.is_running():
            raise LabError(f"lab: engine {self.name} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its dockerd runs; it may be paused, or its network may be cut."""
        return self._process is not None and self._process.is_running()

    @property
    def cgroup_parent(self) -> str:
        """The control group above the engine's containers, from the root of the hierarchy."""
        return f"/{self._cable.bridge}/{self.name}"

    # --- starting and ending ---------------------------------------------------------

    def start(self) -> None:
        """Start the engine with the data of its last run, and wait until it answers.

        This also opens the engine's box again after :meth:`power_off`.

        Raises:
            LabError: it ended or did not answer within a minute; the text has the end of its log.
        """
        with self._power:
            if self._stop.is_set():
                raise LabError(f"lab: engine {self.name}: the lab is closing")
            if self.is_running:
                return
            if not self._box.is_open:
                self._folder.mkdir(exist_ok=True)
                self._box.open()
                self._cable.plug(self._box.pid)
                self._mount_disk()
            first = f"{self._spec.programs}:" if self._spec.programs else ""
            env = {"PATH": f"{first}{self._release.path}", "HOME": "/root"}
            self.socket.unlink(missing_ok=True)
            self._process = self._box.spawn(self._arguments(), env, self.log)
            what = f"engine {self.name}"
            wait_until(self._is_ready, what, seconds=_READY_SECONDS, stop=self._stop)

    def stop(self) -> None:
        """Stop dockerd with SIGTERM, as a service manager does; its containers are stopped, too.

        Raises:
            LabError: it took more than half a minute.
        """
        if self.is_running:
            self.resume()
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill dockerd and its containerd, like a crash; containers keep running."""
        for pid in self._daemons()[1:]:
            BoxProcess(pid, self._entry()).signal(signal.SIGKILL)
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the engine if it runs, then start it with the same data."""
        if self.is_running:
            self.stop()
        self.start()

    def power_off(self) -> None:
        """End the engine and its containers at once, so that its address does not answer any more.

        :meth:`start` starts it again.
        """
        with self._power:
            cgroups.thaw(self.cgroup_parent)
            self._box.close()
            self._cable.unplug()
            self._process = None
            cgroups.remove(self.cgroup_parent)

    # --- failures ----------------------------------------------------------------------

    def pause(self) -> None:
        """Make the engine hang: the kernel accepts connections, and nothing answers."""
        for pid in self._daemons():
            BoxProcess(pid, self._entry()).signal(signal.SIGSTOP)
            wait_until(partial(is_stopped, pid), f"{self.name} to stop", seconds=_STOP_SECONDS)

    def resume(self) -> None:
        """Let the engine continue after :meth:`pause`."""
        for pid in self._daemons():
            BoxProcess(pid, self._entry()).signal(signal.SIGCONT)

    def cut(self) -> None:
        """Cut the engine's network; the published ports of its containers are cut off, too."""
        self._cable.cut()

    def mend(self) -> None:
        """Connect the network again."""
        self._cable.mend()

    def fill_disk(self) -> None:
        """Fill the engine's disk; only with ``disk_bytes``."""
        if not self._spec.disk_bytes:
            raise LabError(f"lab: engine {self.name} has no disk of its own")
        self.run("sh", "-c", 'cat /dev/zero > "$0" 2> /dev/null || true', str(self._filler))

    def free_disk(self) -> None:
        """Delete what :meth:`fill_disk` has written."""
        self.run("rm", "-f", str(self._filler))

    def run(self, *argv: str) -> str:
        """Run a command in the engine's box and return its output.

        Raises:
            LabError: the command failed; the text has its output.
        """
        done = subprocess.run(
            [*self._box.enter_command(), *argv],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": self._release.path, "HOME": "/root"},
        )
        if done.returncode != 0:
            raise LabError(f"lab: engine {self.name}: {' '.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def info(self) -> Any:
        """Return the answer to ``GET /info``."""
        return self.api.call("GET", "/info")

    def load(self, tag: str) -> None:
        """Load the lab's busybox image under that name and tag.

        Raises:
            LabError: the engine refused the image, or busybox is missing.
        """
        architecture = self.api.call("GET", "/version")["Arch"]
        headers = {"Content-Type": "application/x-tar"}
        image = busybox_image(tag, architecture)
        self.api.call("POST", "/images/load?quiet=1", image, headers=headers)

    # --- inside ------------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _filler(self) -> Path:
        return self._data / "filler"

    def _mount_disk(self) -> None:
        if self._spec.disk_bytes:
            self._data.mkdir(exist_ok=True)
            size = f"size={self._spec.disk_bytes}"
            self.run("mount", "-t", "tmpfs", "-o", size, "lab-data", str(self._data))

    def _arguments(self) -> list[str]:
        release, data = self._release, self._data
        options = [
            f"--host=tcp://{self.address}",
            f"--host=unix://{self.socket}",
            f"--data-root={data}",
            "--exec-root=/run/docker",
            "--pidfile=/run/docker.pid",
            f"--cgroup-parent={self.cgroup_parent}",
            # The box hides systemd's sockets, and one driver for all machines is simpler.
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--insecure-registry={self._insecure_registry}",
            *(f"--label={key}={value}" for key, value in self.labels.items()),
        ]
        for option, program in (
            ("userland-proxy-path", "docker-proxy"),
            ("init-path", "docker-init"),
        ):
            found = release.program(program)
            if found:
                options.append(f"--{option}={found}")
        return [str(release.program("dockerd")), *options, *self._tls_options(), *self._spec.args]

    def _tls_options(self) -> list[str]:
        if self._spec.tls is None:
            return ["--tls=false"]
        files = self._spec.tls(self.ip)
        return [
            "--tlsverify",
            f"--tlscacert={files.ca}",
            f"--tlscert={files.cert}",
            f"--tlskey={files.key}",
        ]

    def _is_ready(self) -> bool:
        if not self.is_running:
            said = last_lines(self.log)
            raise LabError(f"lab: engine {self.name} ended, {self.log} says: {said}")
        return self.socket.exists() and self.api.is_answering()

    def _daemons(self) -> list[int]:
        """Return the process ids of dockerd and of the containerd that it started."""
        dockerd = self.pid
        return [dockerd, *(pid for pid in children_of(dockerd) if command_of(pid) == "containerd")]

    def _entry(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process.entry

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number, f"engine {self.name}")
