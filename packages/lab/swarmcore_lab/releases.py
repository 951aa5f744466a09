"""The releases of Docker Engine on this machine, which ``scripts/lab-install`` installs."""

import functools
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from swarmcore_lab.errors import LabError
from swarmcore_lab.machine import PATH, run


@dataclass(frozen=True, slots=True)
class Release:
    """One release: the folder with its programs.

    Attributes:
        name: "major.minor".
        bin: the folder with its programs.
        plugins: a folder of CLI plugins, possibly empty.
    """

    name: str
    bin: Path
    plugins: Path

    @property
    def path(self) -> str:
        """The ``PATH`` for this release: its own programs, then the system's runc and iptables."""
        return f"{self.bin}:{PATH}"

    def program(self, name: str) -> Path | None:
        """Return the file of one of its own programs ("dockerd", "docker", ...), or ``None``."""
        found = shutil.which(name, path=str(self.bin))
        return Path(found) if found else None


def cache_dir() -> Path:
    """Return the folder into which ``scripts/lab-install`` installs releases."""
    return Path(os.environ.get("SWARMCORE_LAB_CACHE", "/var/cache/swarmcore-lab"))


def releases() -> dict[str, Release]:
    """Return the releases that have a dockerd, by name ("20.10"), oldest first."""
    found = {}
    for folder in cache_dir().glob("releases/*"):
        release = Release(folder.name, folder / "bin", folder / "cli-plugins")
        if release.program("dockerd"):
            found[release.name] = release
    if not found:
        found = _system_release()
    return dict(sorted(found.items(), key=lambda item: _number(item[0])))


def find_release(name: str, *, program: str = "dockerd") -> Release:
    """Find a release that has a program.

    Args:
        name: "28.5"; or "28" for the newest of that major release; or "newest" or "oldest".
        program: the program that it must have ("docker" for a CLI).

    Raises:
        LabError: there is no such release; the text lists the installed ones.
    """
    have = [release for release in releases().values() if release.program(program)]
    if have and name in ("newest", "oldest"):
        return have[-1 if name == "newest" else 0]
    for release in reversed(have):
        if release.name == name or release.name.startswith(f"{name}."):
            return release
    names = ", ".join(release.name for release in have) or "none"
    raise LabError(
        f"lab: no {program} of release {name} here (there is: {names}): run scripts/lab-install"
    )


@functools.cache
def _system_release() -> dict[str, Release]:
    dockerd = shutil.which("dockerd", path=PATH)
    if dockerd is None:
        return {}
    match = re.search(r"\d+\.\d+", run(dockerd, "--version"))
    if match is None:
        return {}
    name = match.group()
    plugins = Path("/usr/libexec/docker/cli-plugins")
    return {name: Release(name, Path(dockerd).parent, plugins)}


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))
