"""Imports a plugin: an entry point by stevedore, a module by its dotted name, or a file.

Errors while importing a plugin become one line that names the plugin.  Only this module imports
stevedore.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

from stevedore import DriverManager

from swarmcore.errors import PluginBroken, PluginNotFound
from swarmcore.plugins.catalogue import GROUP, PluginInfo


def guarded(info: PluginInfo, load: Callable[[], object]) -> object:
    """Call *load* and return its result.

    Raises:
        PluginBroken: it raised an exception, or tried to end the process.
    """
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise PluginBroken(f"cannot import plugin {info}: {one_line(repr(error))}") from error


def one_line(text: object) -> str:
    """*text* on one line, for messages."""
    return " ".join(str(text).split())


class _Driver(DriverManager[object]):
    """Imports one entry point; stevedore would read those of all packages for each plugin.

    stevedore's cache of them on disk is not used, as it may be two minutes old.
    """

    def __init__(self, point: EntryPoint) -> None:
        self._point = point
        super().__init__(GROUP, point.name)

    def list_entry_points(self) -> list[EntryPoint]:
        return [self._point]


def import_installed(info: PluginInfo) -> object:
    """Import the module of one entry point.

    Args:
        info: an installed plugin of ``installed``.

    Raises:
        PluginBroken: it raised an exception, or tried to end the process.
    """
    point = info.point
    if point is None:
        raise PluginNotFound(f"plugin {info} is not installed")
    return guarded(info, lambda: _Driver(point).driver)


def is_path(name: str) -> bool:
    """Whether the argument of ``--plugin`` is a file."""
    return "/" in name or name.endswith(".py")


def import_file(name: str) -> tuple[PluginInfo, object]:
    """Import the module in the file *name*.

    Raises:
        PluginNotFound: there is no such file.
        PluginBroken: it cannot be imported.
    """
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise PluginNotFound(f"no plugin file {name!r}: {path} is not a file")
    module_name = f"swarmcore_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise PluginNotFound(f"plugin file {name!r} is not a Python file; its name must end in .py")
    info, module, loader = PluginInfo(name), importlib.util.module_from_spec(spec), spec.loader

    def load() -> object:
        # Dataclasses and pickle look up the module of a class by its name.
        sys.modules[module_name] = module
        try:
            loader.exec_module(module)
        except BaseException:
            sys.modules.pop(module_name, None)
            raise
        return module

    return info, guarded(info, load)


def import_module(name: str) -> tuple[PluginInfo, object] | None:
    """Import the module called *name*; ``None`` if there is no such module.

    Raises:
        PluginBroken: it exists and cannot be imported.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    info, missing = PluginInfo(name), False

    def load() -> object:
        nonlocal missing
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            # Only if the module itself or a parent package is missing, not one that it imports.
            missing = error.name is not None and f"{name}.".startswith(f"{error.name}.")
            if missing:
                return None
            raise

    module = guarded(info, load)
    return None if missing else (info, module)
