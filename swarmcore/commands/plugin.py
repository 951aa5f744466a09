"""``swarmcore plugin new``: writes the package of a new plugin."""

import sys

from swarmcore.command_line import Call, Command, Option, Usage
from swarmcore.errors import ConfigError
from swarmcore.printable import printable
from swarmcore.similar import did_you_mean

_FORM = "swarmcore plugin new KIND NAME"

_FOLDER = Option(
    "folder",
    "the folder to make, instead of swarmcore-KIND-NAME here",
    value="PATH",
    place="start",
)

_EPILOG = """\
KIND is discovery, filter, strategy, weigher, api or ext.  NAME is what users type, as in
--strategy NAME.  The package passes the contract of its kind at once.
"""


def _run(call: Call) -> int:
    match call.words:
        case ["new", kind, name]:
            return _new(kind, name, call.settings({})["folder"].value)
        case [action, *_] if action != "new":
            hint = did_you_mean(action, ["new"], f"its action is {_FORM!r}")
            raise ConfigError(
                f"plugin has no action {action!r}; {hint} ('swarmcore plugins' lists plugins)"
            )
        case given:
            raise ConfigError(
                f"plugin takes three words, and got {len(given)}; write {_FORM!r}, and see"
                " 'swarmcore plugin --help' for the kinds"
            )


def _new(kind: str, name: str, folder: str) -> int:
    from pathlib import Path
    from shlex import quote

    from swarmcore import __version__
    from swarmcore.commands.plugin_package import package_files, read_names, write_files
    from swarmcore.plugins.catalogue import installed

    package = read_names(kind, name)
    for info in installed():
        if info.name == package.plugin:
            raise ConfigError(f"plugin {info} is installed already; choose another name")
    path = Path(folder or package.package)
    write_files(path, package_files(package, __version__))
    text = (
        f"{path}: edit {package.module}.py; test it with\n"
        f"    cd {quote(str(path))} && pip install --editable . pytest && pytest\n"
    )
    sys.stdout.write(printable(text, keep="\n"))
    return 0


PLUGIN = Command(
    Usage(
        "plugin",
        "write the package of a new plugin, with its tests",
        "new KIND NAME",
        (_FOLDER,),
        _EPILOG,
        mixed=True,
    ),
    _run,
)
