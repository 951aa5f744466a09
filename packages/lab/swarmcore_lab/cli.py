"""The Docker CLI of a release, with a separate configuration folder."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from swarmcore_lab.errors import LabError
from swarmcore_lab.releases import find_release


class Cli(NamedTuple):
    """A Docker CLI; unpacks into its path and its environment.

    Attributes:
        path: the binary.
        env: the whole environment for it.  ``DOCKER_CONFIG`` is a folder of the lab, with buildx
            and compose as plugins if the release has them.
    """

    path: Path
    env: dict[str, str]

    def run(
        self,
        host: str,
        *arguments: str,
        stdin: str = "",
        check: bool = True,
        timeout: float = 60,
    ) -> "subprocess.CompletedProcess[str]":
        """Run one command against a Docker API, and wait for its end.

        Args:
            host: "ip:port", or a full "tcp://" or "unix://" address.
            arguments: the arguments after ``docker``.
            stdin: the standard input.
            check: whether a failure raises.
            timeout: the time limit in seconds.

        Returns:
            The exit status and the output, as text.

        Raises:
            LabError: it failed (with ``check``) or took too long; the text has its output.
        """
        where = host if "://" in host else f"tcp://{host}"
        words = " ".join(arguments)
        try:
            done = subprocess.run(
                [str(self.path), *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                env={**self.env, "DOCKER_HOST": where},
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"lab: docker {words}: not done after {timeout:g} s") from error
        if check and done.returncode != 0:
            why = (done.stderr or done.stdout).strip()
            raise LabError(f"lab: docker {words}: exit status {done.returncode}: {why}")
        return done


def make_cli(release_name: str, folder: Path) -> Cli:
    """Make the configuration folder of a CLI.

    Args:
        release_name: a name for :func:`find_release`.
        folder: the lab's folder; each release gets a folder in it.

    Raises:
        LabError: this machine has no CLI of that release.
    """
    release = find_release(release_name, program="docker")
    program = release.program("docker")
    assert program is not None
    config = folder / f"cli-{release.name}"
    config.mkdir(exist_ok=True)
    plugins = config / "cli-plugins"
    if release.plugins.is_dir() and not plugins.exists():
        plugins.symlink_to(release.plugins)
    env = {
        "PATH": f"{release.path}",
        "HOME": str(config),
        "DOCKER_CONFIG": str(config),
        "LC_ALL": "C",
    }
    return Cli(program, env)
