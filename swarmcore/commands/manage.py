"""``swarmcore manage``: serves one Docker API for the engines that a discovery finds."""

import logging
import sys
from collections.abc import Mapping

from swarmcore.command_line import Call, Command, Setting, Usage, resolve
from swarmcore.command_line.setting_sources import read_config_file
from swarmcore.commands.logs import LEVEL_OPTIONS, set_level, start_logging
from swarmcore.errors import ConfigError
from swarmcore.options import build_options
from swarmcore.options.option_tables import CLUSTER_OPTS, CONFIG, GLOBAL_OPTIONS, MANAGE_OPTIONS

log = logging.getLogger(__name__)

_DISCOVERY_HELP = """\
DISCOVERY says where the engines are:
  HOST:PORT,...             a list; also tcp://HOST:PORT, unix://PATH, ssh://[USER@]HOST[:PORT]
  HOST[1:20]:PORT           a range, in a list or a file
  nodes://HOST:PORT,...     the same list, with its scheme
  file://PATH               a file with one address in each line, read again when it changes
  SCHEME://...              a list of the installed plugin discovery_SCHEME
"""

_SOURCES_HELP = """\
Every option can also be set in the environment (SWARMCORE_GRACE_PERIOD for --grace-period, unless
another variable is named above) and in the file that --config names.
"""

_CLUSTER_OPT_HELP = "".join(f"  {key:<26}{text}\n" for key, text in CLUSTER_OPTS.items())


def _run(call: Call) -> int:
    settings = _settings(call)
    start_logging(settings)
    if settings["print-config"].value:
        _print_config(settings)
        return 0
    options = build_options(settings)
    from swarmcore.app import manage

    return manage(options, lambda: _reread(call, settings))


def _reread(call: Call, started: Mapping[str, Setting]) -> None:
    """Apply the log level of the config file again, and name other options that have changed.

    Args:
        call: the call of the command.
        started: the options with which the manager has started.

    Raises:
        ConfigError: an option is invalid now; nothing has changed.
    """
    settings = _settings(call)
    build_options(settings)
    set_level(settings)
    for name, setting in settings.items():
        if name not in LEVEL_OPTIONS and setting.texts != started[name].texts:
            log.warning(
                "--%s has changed (%s): restart the manager to use it", name, setting.origin
            )


def _settings(call: Call) -> dict[str, Setting]:
    """All options of this call, including those from the config file."""
    given = dict(call.given)
    if len(call.words) > 1:
        raise ConfigError(
            f"manage takes one DISCOVERY, and got {' '.join(call.words)!r}; options go before it, "
            "several engines are separated by commas"
        )
    if call.words:
        given["discovery"] = call.words
    table = (*GLOBAL_OPTIONS, *MANAGE_OPTIONS)
    path = resolve([CONFIG], given, call.environment)["config"].value
    file = read_config_file(path, table) if path else None
    return resolve(table, given, call.environment, file)


def _print_config(settings: Mapping[str, Setting]) -> None:
    kept = [setting for setting in settings.values() if setting.option.place != "start"]
    sys.stdout.write("".join(f"{setting}\n" for setting in kept))
    if settings["discovery"].given:
        build_options(settings)


MANAGE = Command(
    Usage(
        "manage",
        "serve one Docker API for the engines that DISCOVERY names",
        "DISCOVERY",
        MANAGE_OPTIONS,
        f"{_DISCOVERY_HELP}\n--cluster-opt KEY=VALUE of the core; others are for plugins:\n"
        f"{_CLUSTER_OPT_HELP}\n{_SOURCES_HELP}",
        aliases=("m",),
    ),
    _run,
)
