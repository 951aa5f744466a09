"""The command ``swarmcore``: which command is meant, what it is told, how its failure reads.

Imports are late on purpose: help and a mistyped option answer before trio or a plugin is touched.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from swarmcore import __version__
from swarmcore.errors import ConfigError, SwarmError, first_error
from swarmcore.model import TLSFiles
from swarmcore.options import build_options
from swarmcore.options.announcing import JOIN_OPTIONS, LIST_OPTIONS, build_join, build_list
from swarmcore.options.flags import Option, split_arguments
from swarmcore.options.hub import CREATE_OPTIONS, HUB_OPTIONS, build_hub
from swarmcore.options.operation_tables import OPERATIONS
from swarmcore.options.option_tables import (
    CLUSTER_OPTS,
    CONFIG,
    DEMO_OPTIONS,
    GLOBAL_OPTIONS,
    MANAGE_OPTIONS,
    PLUGINS_OPTIONS,
)
from swarmcore.options.settings import Setting, read_config_file, resolve
from swarmcore.options.usage import DISCOVERY_HELP, SOURCES_HELP, Usage, command_help, program_help

_log = logging.getLogger(__name__)

_HELP = Option("help", "this text", kind="switch", aliases=("h",))
_VERSION = Option("version", "the version", kind="switch", aliases=("v",))

#: Classic's level names; fatal and panic end a Go program, and are one level here.
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "panic": logging.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One command as it was called: flags by name, remaining words, environment."""

    usage: Usage
    given: Mapping[str, Sequence[str]]
    words: Sequence[str]
    environment: Mapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: words after the program's name; those of the process by default.

    Returns:
        The exit status: 0, or 1 after one line on standard error that says what to do.
    """
    arguments = sys.argv[1:] if argv is None else argv
    try:
        return _run(arguments, os.environ)
    except SwarmError as error:
        return _fail(error)
    except BaseExceptionGroup as group:
        expected, unexpected = group.split(SwarmError)
        if expected is None or unexpected is not None:
            raise
        return _fail(first_error(expected))
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    given, words = split_arguments(arguments, (*GLOBAL_OPTIONS, _HELP, _VERSION), "swarmcore")
    if "version" in given:
        return _say(f"swarmcore version {__version__}\n")
    if "help" in given or not words or words[0] in ("help", "h"):
        return _help(words[1:2])
    command = _COMMANDS.get(words[0])
    if command is None:
        _start_logging(resolve(GLOBAL_OPTIONS, given, environment))
        return _run_plugin_command(words[0], words[1:])
    usage, run = command
    options = (*GLOBAL_OPTIONS, *usage.options, _HELP)
    later, rest = split_arguments(words[1:], options, usage.command, mixed=usage.mixed)
    if "help" in later:
        return _say(command_help(usage))
    call = _Call(usage, {**given, **later}, rest, environment)
    _start_logging(resolve(GLOBAL_OPTIONS, call.given, environment))
    return run(call)


def _help(words: Sequence[str]) -> int:
    if not words:
        usages = dict.fromkeys(usage for usage, _ in _COMMANDS.values())
        return _say(program_help(usages, GLOBAL_OPTIONS))
    if words[0] not in _COMMANDS:
        raise ConfigError(_no_command(words[0]))
    return _say(command_help(_COMMANDS[words[0]][0]))


# ---- commands


def _manage(call: _Call) -> int:
    settings = _manage_settings(call)
    _start_logging(settings)
    if settings["print-config"].value:
        kept = [setting for setting in settings.values() if setting.option.place != "start"]
        _say("".join(f"{setting}\n" for setting in kept))
        if settings["discovery"].given:
            build_options(settings)
        return 0
    options = build_options(settings)
    from swarmcore.app import manage

    return manage(options)


def _manage_settings(call: _Call) -> dict[str, Setting]:
    """Every option of ``manage``, from the sources that this call has."""
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


def _plugins(call: _Call) -> int:
    _no_words(call)
    settings = resolve(PLUGINS_OPTIONS, call.given, {})
    wants_json = settings["json"].value
    if settings["routes"].value:
        from swarmcore.plugins.route_listing import (
            installed_routes,
            routes_as_json,
            routes_as_table,
        )

        routes = installed_routes()
        return _say(routes_as_json(routes) if wants_json else routes_as_table(routes))
    from swarmcore.plugins.inspection import as_json, as_table, inspect_installed

    rows = inspect_installed()
    return _say(as_json(rows) if wants_json else as_table(rows))


def _demo(call: _Call) -> int:
    _no_words(call)
    read = {name: setting.value for name, setting in resolve(DEMO_OPTIONS, call.given, {}).items()}
    if read["real"] and read["embedded"]:
        raise ConfigError("demo starts real engines or embedded ones: --real or --embedded")
    if read["engines"] < 1:
        raise ConfigError("demo needs at least one engine: --engines 1")
    kind = "real" if read["real"] else "embedded" if read["embedded"] else None
    from swarmcore.demo import demo

    return demo(read["engines"], kind, read["host"])


def _join(call: _Call) -> int:
    settings = _announcing_settings(call)
    options = build_join(settings)
    from swarmcore.announcing import join

    return join(options)


def _list(call: _Call) -> int:
    settings = _announcing_settings(call)
    options = build_list(settings)
    from swarmcore.announcing import show_list

    return show_list(options, _say)


def _hub(call: _Call) -> int:
    _no_words(call)
    options = build_hub(resolve(HUB_OPTIONS, call.given, call.environment))
    from swarmcore.hub import serve_hub

    return serve_hub(options)


def _create(call: _Call) -> int:
    if call.words:
        raise ConfigError("the `create` command takes no arguments. See 'swarmcore create --help'.")
    settings = resolve(CREATE_OPTIONS, call.given, call.environment)
    files = (settings[name].value for name in ("tlscacert", "tlscert", "tlskey"))
    from swarmcore.hub.create import create_cluster

    token, discovery = create_cluster(settings["hub"].value, TLSFiles(*files))
    sys.stderr.write(f"{discovery}\n")
    return _say(f"{token}\n")


def _announcing_settings(call: _Call) -> dict[str, Setting]:
    """Every option of ``join`` or ``list``; as in classic one word is the discovery."""
    given = dict(call.given)
    if len(call.words) == 1:
        given["discovery"] = call.words
    return resolve(call.usage.options, given, call.environment)


def _operate(call: _Call) -> int:
    """A command that asks a running manager, which is found as docker finds it."""
    variables = {key: text for key, text in call.environment.items() if key.startswith("DOCKER_")}
    settings = resolve(call.usage.options, call.given, variables)
    options = {name: setting.value for name, setting in settings.items()}
    from swarmcore.operations import Call, run_command

    return run_command(Call(call.usage.name, options, call.words, call.environment))


def _run_plugin_command(name: str, words: Sequence[str]) -> int:
    """Run a command that an installed plugin brings; a broken plugin does not hide the others."""
    from swarmcore.plugins import Plugins, installed
    from swarmcore.plugins.selection import load_installed

    plugins = Plugins()
    for info in installed():
        try:
            load_installed(plugins, [info])
        except SwarmError as error:
            _log.warning("%s", error)
    commands = {command.name: command for _, command in plugins.commands()}
    if name not in commands:
        raise ConfigError(_no_command(name, commands))
    import argparse

    parser = argparse.ArgumentParser(f"swarmcore {name}", description=commands[name].help)
    commands[name].configure(parser)
    return commands[name].run(parser.parse_args(words))


_CLUSTER_OPT_HELP = "".join(f"  {key:<26}{text}\n" for key, text in CLUSTER_OPTS.items())
_MANAGE = Usage(
    "manage",
    "serve one Docker API in front of the engines that DISCOVERY names",
    "DISCOVERY",
    MANAGE_OPTIONS,
    f"{DISCOVERY_HELP}\n--cluster-opt KEY=VALUE of the core; others are for plugins:\n"
    f"{_CLUSTER_OPT_HELP}\n{SOURCES_HELP}",
)
_PLUGINS = Usage(
    "plugins", "list what is installed, what loads and what is broken", "", PLUGINS_OPTIONS
)
_JOIN = Usage(
    "join",
    "announce an engine in a store until stopped",
    "DISCOVERY",
    JOIN_OPTIONS,
    "DISCOVERY is a store: etcd://, consul:// or zk://HOST[:PORT],.../PREFIX\n",
)
_HUB = Usage("hub", "keep lists of engines for those who know their token", "", HUB_OPTIONS)
_CREATE = Usage("create", "make a new cluster at a hub, and print its token", "", CREATE_OPTIONS)
_LIST = Usage("list", "show the engines that a discovery finds", "DISCOVERY", LIST_OPTIONS)
_DEMO = Usage("demo", "run a whole cluster on this machine, to try it", "", DEMO_OPTIONS)

_COMMANDS: Mapping[str, tuple[Usage, Callable[[_Call], int]]] = {
    "manage": (_MANAGE, _manage),
    "m": (_MANAGE, _manage),  # classic's short form
    "create": (_CREATE, _create),
    "c": (_CREATE, _create),
    "join": (_JOIN, _join),
    "j": (_JOIN, _join),
    "list": (_LIST, _list),
    "l": (_LIST, _list),
    "hub": (_HUB, _hub),
    "plugins": (_PLUGINS, _plugins),
    "demo": (_DEMO, _demo),
    **{usage.name: (usage, _operate) for usage in OPERATIONS},
}


# ---- words in and out


def _no_command(name: str, added: Sequence[str] | Mapping[str, object] = ()) -> str:
    names = sorted({usage.name for usage, _ in _COMMANDS.values()} | {"help"} | set(added))
    return f"no command is called {name!r}; commands: {', '.join(names)}"


def _no_words(call: _Call) -> None:
    if call.words:
        raise ConfigError(f"{call.usage.name} takes no argument, and got {call.words[0]!r}")


def _start_logging(settings: Mapping[str, Setting]) -> None:
    """Log to standard error, at the level that was asked for."""
    level = settings["log-level"]
    name = str(level.value).lower()
    if name not in _LEVELS:
        raise ConfigError(f"not a log level: {level.value!r}; levels: {', '.join(_LEVELS)}")
    if settings["debug"].value and not level.given:
        name = "debug"
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=_LEVELS[name], format=form, force=True)
    for library in ("httpx", "httpcore", "stevedore"):
        # They log every request, at debug with headers: noise, and maybe credentials.
        logging.getLogger(library).setLevel(logging.WARNING)


def _say(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _fail(error: BaseException) -> int:
    sys.stderr.write(f"swarmcore: {' '.join(str(error).split())}\n")
    _log.debug("where it came from", exc_info=error)
    return 1
