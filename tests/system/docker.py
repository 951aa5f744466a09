"""The real ``docker`` command."""

import copy
import subprocess
from typing import Any

import pexpect
import pytest
from swarmcore_lab.cli import Cli

from tests.system.waiting import wait_until


class Docker:
    """The real ``docker`` command with one address."""

    def __init__(self, cli: Cli, host: str) -> None:
        self.binary = str(cli.path)
        self.environment = {**cli.env, "DOCKER_HOST": host, "TERM": "xterm"}

    def at(self, address: str) -> "Docker":
        """Return the same command with another address."""
        other = copy.copy(self)
        other.environment = {**self.environment, "DOCKER_HOST": f"tcp://{address}"}
        return other

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[Any]:
        """Run to the end; input and output are text unless ``text=False``."""
        options = {"text": True, "timeout": 110, "capture_output": True, **options}
        return subprocess.run(
            [self.binary, *arguments], env=self.environment, check=False, **options
        )

    def __call__(self, *arguments: str, **options: Any) -> Any:
        """Run a command that must succeed; return its standard output, stripped."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip() if isinstance(done.stdout, str) else done.stdout

    def remove_all(self) -> None:
        """Remove every container; retry while an engine that was away is still unhealthy."""

        def removed() -> bool:
            ids = self("ps", "-aq", "--no-trunc").split()
            done = self.run("rm", "-f", *ids) if ids else None
            if done is None or done.returncode == 0:
                return True
            assert "on unhealthy node" in done.stderr, done.stderr
            return False

        wait_until(removed, "all containers to be removed")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
        """Start a command and return its process; its output is a text pipe by default.

        It can be interrupted even if these tests run in the background, where processes inherit
        that they ignore SIGINT.
        """
        options = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = ["/usr/bin/env", "--default-signal=INT", self.binary, *arguments]
        return subprocess.Popen(command, env=self.environment, **options)

    def terminal(self, *arguments: str) -> "pexpect.spawn[str]":
        """Start a command with a real pty."""
        return pexpect.spawn(
            self.binary,
            list(arguments),
            env=self.environment,
            encoding="utf-8",
            timeout=60,
            dimensions=(33, 101),
        )


def detach(terminal: "pexpect.spawn[str]", *keys: str) -> None:
    """Type the detach keys until the client has read them, and wait for its end.

    The client looks for them in single reads: keys that it reads at once are input.
    """
    for _ in range(12):
        terminal.send("\x15")  # a line of input that earlier keys began is none of the program's
        for key in keys:
            terminal.send(key)
        if terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5) == 0:
            terminal.close()
            return
    pytest.fail(f"the client does not hear its keys: {terminal}")
