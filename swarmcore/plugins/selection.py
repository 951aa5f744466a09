"""Which plugins a manager loads, according to its options.

A discovery, strategy or filter is loaded if it is named or a default; ``api_*`` and ``ext_*`` are
loaded if they are installed.  Other plugins are never imported, so a broken one does no harm.
"""

from collections.abc import Sequence

from swarmcore.errors import ConfigError, PluginError
from swarmcore.options import Options
from swarmcore.options.option_tables import MANAGE_OPTIONS
from swarmcore.plugins.catalogue import LOADED_WHEN_INSTALLED, PluginInfo, find, installed
from swarmcore.plugins.plugins import Plugins
from swarmcore.protocols import DiscoveryURI

_DEFAULTS = {option.name: option.default for option in MANAGE_OPTIONS}

#: Swarm classic's names of plugins that have another name here.
_CLASSIC_NAMES = {"binpacking": "binpack"}


def select_plugins(options: Options) -> Plugins:
    """Load the plugins that *options* name, the defaults, and those always loaded.

    Filters are called in this order: those of ``--plugin``; those of ``--filter NAME``, or the
    default chain if there are none; those of ``--filter +NAME``; those of installed ``ext_*``.
    Naming a plugin therefore never removes a filter.

    Raises:
        PluginError: a plugin is missing, broken or incompatible.
        ConfigError: the options contradict each other.
    """
    known = installed()
    _check_without(options, known)
    plugins = Plugins(options.cluster_opts, known)
    plugins.load(options.plugins)
    if options.strategy is not None:
        plugins.load([_installed_name("strategy", options.strategy, known)])
    _load_discovery(plugins, options, known)
    _load_filters(plugins, options, known)
    _load_weighers(plugins, options, known)
    load_installed(plugins, [info for info in known if info.name not in options.without])
    _load_default_strategy(plugins, options, known)
    if options.replication and not plugins.implementers("swarmcore_election"):
        raise no_election(options.discovery)
    return plugins


def load_discovery(uri: DiscoveryURI, named: Sequence[str]) -> Plugins:
    """Load the plugins in *named* and the discovery for the scheme of *uri*.

    Raises:
        PluginError: a plugin is missing, broken or incompatible.
    """
    known = installed()
    plugins = Plugins(known=known)
    plugins.load(named)
    _load_scheme(plugins, uri, known)
    return plugins


def is_loaded_by_default(info: PluginInfo) -> bool:
    """Whether a manager loads the plugin without an option that names it."""
    defaults = {f"{kind}_{name}" for kind in ("filter", "strategy") for name in _DEFAULTS[kind]}
    return info.kind in LOADED_WHEN_INSTALLED or info.name in defaults


def load_installed(plugins: Plugins, known: Sequence[PluginInfo]) -> None:
    """Load those of *known* that are loaded whenever they are installed.

    Raises:
        PluginError: one is broken; the message says how to leave it out.
    """
    for info in known:
        if info.kind not in LOADED_WHEN_INSTALLED:
            continue
        try:
            plugins.load([info.name])
        except PluginError as error:
            hint = f"; leave it out with --without {info.name}"
            raise type(error)(f"{error}{hint}") from error


def _check_without(options: Options, known: Sequence[PluginInfo]) -> None:
    names = {info.name for info in known}
    for name in options.without:
        if name not in names:
            find(name, known)  # raises PluginNotFound, which lists the installed plugins
        if name in options.plugins:
            raise ConfigError(f"--plugin {name} and --without {name} contradict each other")


def _load_discovery(plugins: Plugins, options: Options, known: Sequence[PluginInfo]) -> None:
    """Load the plugin for the URI's scheme (``http`` for ``http+sd``), after the named ones.

    If no plugin supports the scheme, ``Plugins.discovery`` raises an error later.
    """
    if _scheme_plugin(options.discovery) not in options.without:
        _load_scheme(plugins, options.discovery, known)


def _load_scheme(plugins: Plugins, uri: DiscoveryURI, known: Sequence[PluginInfo]) -> None:
    name = _scheme_plugin(uri)
    if any(info.name == name for info in known):
        plugins.load([name])


def _scheme_plugin(uri: DiscoveryURI) -> str:
    return f"discovery_{uri.scheme.partition('+')[0]}"


def _load_filters(plugins: Plugins, options: Options, known: Sequence[PluginInfo]) -> None:
    given = options.filters or ()
    added = [name.removeprefix("+") for name in given if name.startswith("+")]
    chain = [name for name in given if not name.startswith("+")]
    if not chain:
        chain = [name for name in _DEFAULTS["filter"] if f"filter_{name}" not in options.without]
    plugins.load([_installed_name("filter", name, known) for name in (*chain, *added)])


def _load_weighers(plugins: Plugins, options: Options, known: Sequence[PluginInfo]) -> None:
    """Load the plugin of each ``swarm.weight.NAME``; unknown names are reported later."""
    wanted = {f"weigher_{name}" for name in options.multipliers} - set(options.without)
    plugins.load([info.name for info in known if info.name in wanted])


def _load_default_strategy(plugins: Plugins, options: Options, known: Sequence[PluginInfo]) -> None:
    if plugins.implementers("swarmcore_strategy"):
        return
    (default,) = _DEFAULTS["strategy"]
    if f"strategy_{default}" in options.without:
        raise ConfigError(
            f"--without strategy_{default} leaves no strategy; name one with --strategy"
        )
    plugins.load([_installed_name("strategy", default, known)])


def no_election(uri: DiscoveryURI) -> ConfigError:
    """The error if no plugin provides an election for the store of *uri*."""
    return ConfigError(
        f"--replication: no loaded plugin elects a leader for {uri.scheme}://; keep engines in a"
        " store whose plugin does, as etcd, or run one manager without --replication"
    )


def _installed_name(kind: str, name: str, known: Sequence[PluginInfo]) -> str:
    """The full name of the installed plugin that ``--KIND NAME`` selects."""
    return find(f"{kind}_{_CLASSIC_NAMES.get(name, name)}", known).name
