"""A lab of real engines of three releases, a manager before them, and the real CLIs."""

import copy
import io
import json
import os
import signal
import ssl
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from swarmcore_lab import Lab, available
from swarmcore_lab.cli import Cli

from swarmcore.testing.ports import free_port

#: The command of this environment.
SWARMCORE = str(Path(sys.executable).with_name("swarmcore"))

RELEASES = {"old": "20.10", "middle": "26.1", "new": "28.5"}


def wait_until(state: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Poll *state* until it is true; fails, naming *what*, after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        value = state()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def fetch(url: str) -> bytes:
    """What *url* answers, once something listens there: a program takes a moment to start."""

    def answer() -> bytes | None:
        try:
            with urllib.request.urlopen(url, timeout=30) as reply:
                return bytes(reply.read())
        except OSError as error:
            if isinstance(getattr(error, "reason", error), ConnectionError):
                return None
            raise

    return bytes(wait_until(answer, f"{url} to answer", 30))


class Manager:
    """``swarmcore manage`` as a process of its own, on a loopback port.

    With *tls* it is asked by these rules; *environment* is added to its own.
    """

    def __init__(
        self,
        port: int,
        arguments: list[str],
        log: Path,
        *,
        tls: ssl.SSLContext | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.port = port
        self.host = f"tcp://127.0.0.1:{port}"
        self._url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._tls = tls
        self._environment = {**os.environ, **(environment or {})}
        self.socket = f"unix://{log.with_suffix('.sock')}"
        self.log = log
        self._command = [
            SWARMCORE,
            "manage",
            "-H",
            self.host,
            "-H",
            self.socket,
            *arguments,
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment
            )
        wait_until(self._pings, f"the manager to answer; see {self.log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(30)
        self.process = None
        return status

    def get(self, path: str) -> Any:
        with self._open(path, 30) as answer:
            return json.load(answer)

    def statuses(self) -> list[str]:
        """The Status row of every node in ``info``."""
        return [value for key, value in self.get("/info")["SystemStatus"] if "Status" in key]

    def errors(self) -> list[str]:
        """The Error row of every node that has one."""
        rows = self.get("/info")["SystemStatus"]
        return [value for key, value in rows if "Error" in key and value != "(none)"]

    def wait_healthy(self, count: int, seconds: float = 60) -> None:
        wait_until(
            lambda: self.statuses().count("Healthy") == count, f"{count} healthy nodes", seconds
        )

    def _pings(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            with self._open("/_ping", 5):
                return True
        except OSError:
            return False

    def _open(self, path: str, seconds: float) -> Any:
        return urllib.request.urlopen(f"{self._url}{path}", timeout=seconds, context=self._tls)


class Docker:
    """The real ``docker`` command, pointed at one address."""

    def __init__(self, cli: Cli, host: str) -> None:
        self.binary = str(cli.path)
        self.environment = {**cli.env, "DOCKER_HOST": host, "TERM": "xterm"}

    def at(self, address: str) -> "Docker":
        """The same command, pointed at another address."""
        other = copy.copy(self)
        other.environment = {**self.environment, "DOCKER_HOST": f"tcp://{address}"}
        return other

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[Any]:
        """Run to the end; text in and out unless ``text=False``."""
        options = {"text": True, "timeout": 110, "capture_output": True, **options}
        return subprocess.run(
            [self.binary, *arguments], env=self.environment, check=False, **options
        )

    def __call__(self, *arguments: str, **options: Any) -> Any:
        """Run, expect success, return standard output stripped."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip() if isinstance(done.stdout, str) else done.stdout

    def remove_all(self) -> None:
        """Remove every container; an engine that was away may be called unhealthy for a moment."""

        def removed() -> bool:
            ids = self("ps", "-aq", "--no-trunc").split()
            done = self.run("rm", "-f", *ids) if ids else None
            if done is None or done.returncode == 0:
                return True
            assert "on unhealthy node" in done.stderr, done.stderr
            return False

        wait_until(removed, "all containers to be removed")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
        """Start and return the process, its output piped as text unless told otherwise.

        It can be interrupted also where these tests were started in the background, whose
        processes ignore SIGINT and hand that on.
        """
        options = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = ["/usr/bin/env", "--default-signal=INT", self.binary, *arguments]
        return subprocess.Popen(command, env=self.environment, **options)

    def terminal(self, *arguments: str) -> "pexpect.spawn[str]":
        """Start under a real pty."""
        return pexpect.spawn(
            self.binary,
            list(arguments),
            env=self.environment,
            encoding="utf-8",
            timeout=60,
            dimensions=(33, 101),
        )


def detach(terminal: "pexpect.spawn[str]", *keys: str) -> None:
    """Press detach keys until they are heard, and wait for the client's end.

    The client looks for them read by read, as people type: keys that it reads at once are input.
    """
    for _ in range(12):
        terminal.send("\x15")  # a line of input that earlier keys began is none of the program's
        for key in keys:
            terminal.send(key)
        if terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5) == 0:
            terminal.close()
            return
    pytest.fail(f"the client does not hear its keys: {terminal}")


class Fleet:
    """Three engines, one manager."""

    def __init__(self, lab: Lab, engines: dict[str, Any], manager: Manager) -> None:
        self.lab = lab
        self.engines = engines
        self.manager = manager

    def docker(self, cli: str = "28", host: str | None = None) -> Docker:
        return Docker(self.lab.cli(cli), host or self.manager.host)

    def direct(self, name: str, cli: str = "20.10") -> Docker:
        """The CLI pointed straight at one engine, past the manager."""
        return self.docker(cli, f"tcp://{self.engines[name].address}")


@pytest.fixture(scope="session", name="wait_until")
def wait_until_fixture() -> Callable[..., Any]:
    return wait_until


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    reason = available()
    if reason is not None:
        if os.environ.get("SWARMCORE_REQUIRE_DOCKER") == "1":
            pytest.fail(f"real engines are required here: {reason}")
        pytest.skip(reason)
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def engines(lab: Lab) -> dict[str, Any]:
    """``old``, ``middle`` and ``new``: 20.10, 26.1 and 28.5, each with a busybox image."""
    started = lab.start_engines(
        [{"name": name, "release": release} for name, release in RELEASES.items()]
    )
    lab.image(started)
    return {engine.name: engine for engine in started}


class Managers:
    """Starts managers; the addresses they listen on and their logs are theirs alone.

    Args:
        folder: for their logs and sockets.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._managers: list[Manager] = []

    def __call__(self, *arguments: str, **options: Any) -> Manager:
        log = self._folder / f"{len(self._managers)}.log"
        manager = Manager(free_port(), list(arguments), log, **options)
        self._managers.append(manager)
        manager.start()
        return manager

    def stop(self) -> None:
        """Stop those that run."""
        for manager in self._managers:
            if manager.process is not None:
                manager.stop()


@pytest.fixture(scope="module")
def start_manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managers]:
    """Start managers that end with the module.

    One that ran on would follow every event of the engines that all modules share.
    """
    managers = Managers(tmp_path_factory.mktemp("managers"))
    yield managers
    managers.stop()


@pytest.fixture(scope="session")
def make_docker(lab: Lab) -> Callable[..., Docker]:
    """Point the CLI of a release at an address, with additions to its environment."""

    def make(release: str, host: str, **environment: str) -> Docker:
        docker = Docker(lab.cli(release), host)
        docker.environment |= environment
        return docker

    return make


@pytest.fixture(scope="session")
def shared_fleet(
    lab: Lab, engines: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    addresses = ",".join(engine.address for engine in engines.values())
    managers = Managers(tmp_path_factory.mktemp("shared"))
    manager = managers(addresses)
    manager.wait_healthy(len(engines))
    yield Fleet(lab, engines, manager)
    managers.stop()


@pytest.fixture
def fleet(shared_fleet: Fleet) -> Iterator[Fleet]:
    """The fleet, without containers before and after."""
    yield shared_fleet
    docker = shared_fleet.docker()
    docker.remove_all()


@pytest.fixture(params=["20.10", "28"])
def docker(fleet: Fleet, request: pytest.FixtureRequest) -> Docker:
    """The CLI of each release, pointed at the manager."""
    return fleet.docker(request.param)


def tar_of(name: str, content: bytes) -> bytes:
    """A tar of one file; ``docker import`` takes it too."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()
