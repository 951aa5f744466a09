"""Helpers that read the options of ``swarmcore manage`` from arguments, variables and a file."""

from swarmcore.command_line.flags import split_arguments
from swarmcore.command_line.setting_sources import read_config_file, resolve
from swarmcore.options import build_options
from swarmcore.options.option_tables import GLOBAL_OPTIONS, MANAGE_OPTIONS

#: Every option that ``swarmcore manage`` takes.
TABLE = (*GLOBAL_OPTIONS, *MANAGE_OPTIONS)


def settings_of(*arguments, environment=None, file=None):
    """Return the settings of ``swarmcore manage`` with these arguments."""
    given, words = split_arguments(arguments, TABLE, "swarmcore manage")
    if words:
        given["discovery"] = words
    return resolve(TABLE, given, environment or {}, file and read_config_file(str(file), TABLE))


def options_of(*arguments, **sources):
    """Return the options with which the manager is started."""
    return build_options(settings_of(*arguments, **sources))


def written(tmp_path, text):
    """Write a configuration file with this text."""
    path = tmp_path / "swarmcore.toml"
    path.write_text(text)
    return path
