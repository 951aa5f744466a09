"""A new plugin's package, from the templates in ``templates/``.

``KIND.py.txt`` is the plugin's module, ``KIND_test.py.txt`` its test, which runs the contract of
the kind; ``pyproject.toml.txt`` and ``README.md.txt`` are those of every kind.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from swarmcore.errors import ConfigError
from swarmcore.similar import did_you_mean

_NAME = re.compile(r"[a-z][a-z0-9]{0,29}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the plugin of a template is for, and the command that uses it."""

    purpose: str
    use: str


KINDS: Mapping[str, _Kind] = {
    "discovery": _Kind("Engines from a list", "swarmcore manage $name://10.0.0.1:2375"),
    "filter": _Kind("Containers on nodes with their label", "swarmcore manage --filter +$name ..."),
    "strategy": _Kind(
        "The node with the fewest running containers", "swarmcore manage --strategy $name ..."
    ),
    "weigher": _Kind(
        "Nodes with fewer containers", "swarmcore manage --cluster-opt swarm.weight.$name=1 ..."
    ),
    "api": _Kind("A page of nodes", "curl http://127.0.0.1:3375/x/$name"),
    "ext": _Kind("A line in the log for each placement", "swarmcore manage ..."),
}


@dataclass(frozen=True, slots=True)
class PluginPackage:
    """The names in a new package.

    Attributes:
        kind: one of ``KINDS``.
        name: what users type, such as the NAME of ``--strategy NAME``.
    """

    kind: str
    name: str

    @property
    def plugin(self) -> str:
        """The name of the entry point."""
        return f"{self.kind}_{self.name}"

    @property
    def module(self) -> str:
        """The name of the module."""
        return f"swarmcore_{self.plugin}"

    @property
    def package(self) -> str:
        """The name of the distribution and of its folder."""
        return self.module.replace("_", "-")


def read_names(kind: str, name: str) -> PluginPackage:
    """The package for the words of a user.

    Raises:
        ConfigError: there is no template for the kind, or the name cannot be that of a plugin.
    """
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS, f"kinds: {', '.join(KINDS)}")
        raise ConfigError(f"plugin new has no template for the kind {kind!r}; {hint}")
    if not _NAME.fullmatch(name):
        near = re.sub(r"^[0-9]+|[^a-z0-9]", "", name.lower())[:30]
        hint = f"did you mean {near}?" if _NAME.fullmatch(near) else "such as rack"
        raise ConfigError(
            f"{name!r} cannot be the name of a plugin; write up to 30 lower-case letters and"
            f" digits, beginning with a letter; {hint}"
        )
    return PluginPackage(kind, name)


def package_files(package: PluginPackage, version: str) -> dict[str, str]:
    """The files of the package, by path in its folder.

    Args:
        package: the names.
        version: the version of swarmcore, which the package requires at least; the next minor
            version is excluded, as in the bundled plugins.
    """
    major, minor = version.split(".")[:2]
    kind = KINDS[package.kind]
    words = {
        "name": package.name,
        "title": package.name.capitalize(),
        "plugin": package.plugin,
        "module": package.module,
        "package": package.package,
        "purpose": kind.purpose,
        "use": Template(kind.use).substitute(name=package.name),
        "floor": version,
        "ceiling": f"{major}.{int(minor) + 1}",
    }
    templates = {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{package.module}.py": f"{package.kind}.py.txt",
        f"tests/test_{package.plugin}.py": f"{package.kind}_test.py.txt",
    }
    folder = files("swarmcore.commands") / "templates"
    return {
        path: Template((folder / template).read_text("utf-8")).substitute(words)
        for path, template in templates.items()
    }


def write_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Make *folder* with its files.

    Raises:
        ConfigError: it exists already, or cannot be written.
    """
    try:
        folder.mkdir()
        for path, text in texts.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except FileExistsError:
        raise ConfigError(
            f"{folder} exists already; remove it, or name another folder with --folder"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"cannot write {folder}: {error.strerror}; name another folder with --folder"
        ) from error
