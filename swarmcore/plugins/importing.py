"""Imports a plugin that is not installed: a module by its dotted name, or a file by its path.

Foreign code runs at import and may do anything; what it raises becomes one line that names it.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from swarmcore.errors import PluginBroken, PluginNotFound
from swarmcore.plugins.catalogue import PluginInfo


def guarded(info: PluginInfo, load: Callable[[], object]) -> object:
    """What *load* returns.

    Raises:
        PluginBroken: it raised, or tried to end the process.
    """
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise PluginBroken(f"cannot import plugin {info}: {one_line(repr(error))}") from error


def one_line(text: object) -> str:
    """*text* without line breaks, for messages."""
    return " ".join(str(text).split())


def is_path(name: str) -> bool:
    """Whether ``--plugin`` was given a file."""
    return "/" in name or name.endswith(".py")


def import_file(name: str) -> tuple[PluginInfo, object]:
    """The module in the file *name*.

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
        # Dataclasses and pickling look a class's module up by name.
        sys.modules[module_name] = module
        try:
            loader.exec_module(module)
        except BaseException:
            sys.modules.pop(module_name, None)
            raise
        return module

    return info, guarded(info, load)


def import_module(name: str) -> tuple[PluginInfo, object] | None:
    """The module called *name*; ``None`` when there is none of that name.

    Raises:
        PluginBroken: there is one, and it cannot be imported.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    info, missing = PluginInfo(name), False

    def load() -> object:
        nonlocal missing
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            # The module itself is missing, or a package on the way to it; not one that it imports.
            missing = error.name is not None and f"{name}.".startswith(f"{error.name}.")
            if missing:
                return None
            raise

    module = guarded(info, load)
    return None if missing else (info, module)
