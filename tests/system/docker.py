"""The real ``docker`` command."""

import copy
import subprocess
from typing import Any

import pexpect
import pytest
from swarmcore_lab.cli import Cli

from tests.system.waiting import wait_until


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
