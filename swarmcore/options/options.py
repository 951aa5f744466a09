"""The checked options of a manager.

Checks values and their combinations, in Swarm classic's order and mostly with its messages.  Where
a value came from is handled in ``command_line.settings``, whether a plugin exists in
``plugins.selection``, and addresses to listen on in ``http.server.listeners``.
"""

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmcore.addresses import parse_address
from swarmcore.classic_compat import CLASSIC, COMPAT, is_classic
from swarmcore.command_line import Setting
from swarmcore.command_line.tls import read_tls
from swarmcore.container_config.scheduling_labels import parse_seconds
from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles
from swarmcore.node import MOST_OVERCOMMIT
from swarmcore.options.option_tables import CLUSTER_OPTS, PLUGIN_OPTS
from swarmcore.options.weight_options import WEIGHT, read_carry, read_multipliers
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI
from swarmcore.similar import did_you_mean

_log = logging.getLogger(__name__)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

#: Schemes of engine addresses; a text with such a scheme is a list of engines.
_ENGINE_SCHEMES = frozenset({"tcp", "unix", "ssh"})


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``swarmcore manage``.  Times are in seconds.

    Attributes:
        discovery: the discovery URI.
        plugins, without: names given by ``--plugin`` and ``--without``.
        strategy: name of the strategy; ``None`` if not given, so that a plugin may provide it.
        filters: names of the filters in the order of the chain; ``None`` if not given.
        hosts: addresses to listen on, as written.
        tls: TLS files for serving and for engines; ``None`` without TLS.
        cluster_opts: all ``--cluster-opt``, including those for plugins.
        unix_engines: whether every discovery may name unix sockets; otherwise only the operator's.
        overcommit: fraction of CPU and memory that may be claimed in addition to what a node has.
        classic: whether names, messages and defaults are Swarm classic's (``swarm.compat``).
        cpu_shares_are_cpus: whether ``CpuShares`` claims CPUs, as in Swarm classic.
        node_settings: path of the file for drains and labels; empty for none.
        alternates: how many more nodes a create tries after failures that a node caused.
        multipliers: name of a weigher -> its multiplier; the strategy has 1.
        carry: the lead over the best node with the image above which an image is copied.
        spread: node label over whose values containers are spread first; empty for none.
        starts: how many creates and starts one engine runs at the same time; 0 for no limit.
        queue_seconds: how long a create waits for free resources; 0: it does not wait.
        queue_limit: how many creates may wait at the same time.
        settings: every option with its origin.
    """

    discovery: DiscoveryURI
    debug: bool = False
    experimental: bool = False
    plugins: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    strategy: str | None = None
    filters: tuple[str, ...] | None = None
    hosts: tuple[str, ...] = ("tcp://127.0.0.1:3375",)
    tls: TLSFiles | None = None
    cors: bool = False
    grace_seconds: float = 10.0
    heartbeat_seconds: float = 60.0
    refresh_min_seconds: float = 30.0
    refresh_max_seconds: float = 60.0
    failure_retry: int = 3
    alternates: int = 3
    cluster_opts: Mapping[str, str] = field(default_factory=dict)
    discovery_opts: Mapping[str, str] = field(default_factory=dict)
    unix_engines: bool = False
    overcommit: float = 0.05
    classic: bool = False
    cpu_shares_are_cpus: bool = False
    replication: bool = False
    replication_ttl_seconds: float = 20.0
    advertise: str = ""
    node_settings: str = ""
    multipliers: Mapping[str, float] = field(default_factory=dict)
    spread: str = ""
    carry: float = 1.0
    starts: int = 0
    queue_seconds: float = 0.0
    queue_limit: int = 1000
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def discovery_options(self) -> DiscoveryOptions:
        """The options for the discovery."""
        compat = {COMPAT: CLASSIC} if self.classic else {}
        return DiscoveryOptions(self.heartbeat_seconds, 0.0, {**compat, **self.discovery_opts})

    @property
    def election_options(self) -> DiscoveryOptions:
        """The options for the election, which renews within ``--replication-ttl``."""
        return DiscoveryOptions(
            self.heartbeat_seconds, self.replication_ttl_seconds, self.discovery_opts
        )


def build_options(settings: Mapping[str, Setting]) -> Options:
    """Check the settings of ``manage`` in Swarm classic's order; the first error is raised.

    Args:
        settings: every option of the program and of ``manage``, by name.

    Raises:
        ConfigError: a value is invalid, alone or together with another.
    """
    read = {
        name: setting.value
        for name, setting in settings.items()
        if name != "discovery"  # checked below, in classic's order
    }
    tls = read_tls(read)
    _check_engine_options(read)
    discovery = read_discovery(settings["discovery"], "manage")
    if read["heartbeat"] < 1:
        raise ConfigError("--heartbeat should be at least one second")
    cluster_opts = dict(reversed(read["cluster-opt"]))  # as in classic, the first of a key wins
    _check_keys(cluster_opts)
    classic = is_classic(cluster_opts)
    overcommit = _overcommit(cluster_opts)
    if read["replication"]:
        _check_replication(read)
    return Options(
        discovery=discovery,
        debug=read["debug"],
        experimental=read["experimental"],
        plugins=read["plugin"],
        without=read["without"],
        strategy=read["strategy"] if settings["strategy"].given else None,
        filters=read["filter"] if settings["filter"].given else None,
        hosts=read["host"],
        tls=tls,
        cors=read["api-enable-cors"],
        grace_seconds=_not_negative("grace-period", read),
        heartbeat_seconds=read["heartbeat"],
        refresh_min_seconds=read["engine-refresh-min-interval"],
        refresh_max_seconds=read["engine-refresh-max-interval"],
        failure_retry=read["engine-failure-retry"],
        alternates=_alternates(settings["alternates"], cluster_opts, classic=classic),
        cluster_opts=cluster_opts,
        discovery_opts=dict(read["discovery-opt"]),
        unix_engines=read["unix-engines"],
        overcommit=overcommit,
        classic=classic,
        cpu_shares_are_cpus=_cpu_shares_are_cpus(cluster_opts, classic=classic),
        replication=read["replication"],
        replication_ttl_seconds=read["replication-ttl"],
        advertise=read["advertise"],
        node_settings=read["node-settings"],
        multipliers=read_multipliers(cluster_opts),
        starts=_count(cluster_opts, "swarm.starts"),
        queue_seconds=_seconds(cluster_opts, "swarm.queue"),
        queue_limit=_count(cluster_opts, "swarm.queue.limit", 1000),
        spread=cluster_opts.get("swarm.spread", ""),
        carry=read_carry(cluster_opts, classic=classic),
        settings=settings,
    )


def parse_discovery(text: str) -> DiscoveryURI:
    """Split a discovery text at ``://``.

    A text without a scheme, or with the scheme of an engine address (``ssh://ops@n1``), is a list
    of engines: scheme ``nodes``.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator or not _SCHEME.fullmatch(scheme) or scheme.lower() in _ENGINE_SCHEMES:
        return DiscoveryURI("nodes", text.strip())
    return DiscoveryURI(scheme.lower(), rest)


def read_discovery(setting: Setting, command: str) -> DiscoveryURI:
    """The discovery URI that *command* requires.

    Raises:
        ConfigError: none was given.
    """
    texts = [text for text in setting.texts if text.strip()]
    if not texts:
        raise ConfigError(
            f"discovery required to {command} a cluster. See 'swarmcore {command} --help'."
        )
    return parse_discovery(texts[-1])


def _check_keys(cluster_opts: Mapping[str, str]) -> None:
    """Check keys with our prefix: an unknown one is a mistake, not a key of a plugin."""
    known = {*CLUSTER_OPTS, *PLUGIN_OPTS}
    for key in cluster_opts:
        if key.startswith("swarm.") and key not in known and not key.startswith(WEIGHT):
            hint = did_you_mean(key, known, f"known are {', '.join(sorted(known))}")
            raise ConfigError(f"--cluster-opt {key}: there is no such key; {hint}")


def _check_engine_options(read: Mapping[str, Any]) -> None:
    shortest, longest = read["engine-refresh-min-interval"], read["engine-refresh-max-interval"]
    if shortest <= 0:
        raise ConfigError(
            "min refresh interval should be a positive number (--engine-refresh-min-interval)"
        )
    if longest < shortest:
        raise ConfigError(
            "max refresh interval cannot be less than min refresh interval "
            "(--engine-refresh-max-interval)"
        )
    if read["engine-refresh-retry"] != 3:
        raise ConfigError("--engine-refresh-retry is deprecated. Use --engine-failure-retry")
    if read["engine-failure-retry"] <= 0:
        raise ConfigError("invalid failure retry count: --engine-failure-retry must be 1 or more")
    if read["cluster-driver"] != "swarm":
        raise ConfigError(f'unsupported cluster "{read["cluster-driver"]}": use swarm')


def _check_replication(read: Mapping[str, Any]) -> None:
    if read["replication-ttl"] <= 0:
        raise ConfigError("--replication-ttl should be a positive number")
    advertise = read["advertise"]
    if not advertise:
        raise ConfigError("--advertise address must be provided when using --replication")
    try:
        if "://" in advertise:
            raise ConfigError("a scheme")
        parse_address(advertise)
    except ConfigError:
        raise ConfigError(
            f"--advertise should be of the form ip:port or hostname:port, not {advertise!r}"
        ) from None


def _overcommit(cluster_opts: Mapping[str, str]) -> float:
    text = cluster_opts.get("swarm.overcommit", "0.05")
    try:
        overcommit = float(text)
    except ValueError:
        overcommit = math.nan
    if not math.isfinite(overcommit):
        raise ConfigError(f"swarm.overcommit should be a number such as 0.05, {text!r} is invalid")
    if overcommit <= -1:
        raise ConfigError(f"swarm.overcommit should be larger than -1, {overcommit:f} is invalid")
    if overcommit > MOST_OVERCOMMIT:
        raise ConfigError(
            f"swarm.overcommit should be {MOST_OVERCOMMIT:g} at most, {text!r} is invalid"
        )
    if overcommit < 0:
        _log.warning("swarm.overcommit is %s: nodes will not be filled", text)
    return overcommit


def _cpu_shares_are_cpus(cluster_opts: Mapping[str, str], *, classic: bool) -> bool:
    meaning = cluster_opts.get("swarm.cpushares", "cpus" if classic else "weight")
    if meaning not in ("weight", "cpus"):
        raise ConfigError(f"swarm.cpushares should be weight or cpus, {meaning!r} is invalid")
    return meaning == "cpus"


def _seconds(cluster_opts: Mapping[str, str], key: str) -> float:
    try:
        return parse_seconds(cluster_opts.get(key, "0"))
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from None


def _count(cluster_opts: Mapping[str, str], key: str, default: int = 0) -> int:
    text = cluster_opts.get(key, str(default))
    try:
        count = int(text, 0)
    except ValueError:
        raise ConfigError(
            f"{key} should be a whole number such as 2, {text!r} is invalid"
        ) from None
    if count < 0:
        raise ConfigError(f"{key} can not be negative, {count} is invalid")
    return count


def _not_negative(name: str, read: Mapping[str, Any]) -> float:
    seconds: float = read[name]
    if seconds < 0:
        raise ConfigError(f"--{name} should not be a negative number")
    return seconds


def _alternates(setting: Setting, cluster_opts: Mapping[str, str], *, classic: bool) -> int:
    """How many more nodes a create tries; in Swarm classic none, unless configured."""
    create_retry = _count(cluster_opts, "swarm.createretry")
    if classic and not setting.given:
        return create_retry
    count: int = setting.value
    if count < 1:
        raise ConfigError(
            f"--alternates must be 1 or more, not {count}: so many more nodes a create may try"
        )
    # Classic's createretry retries at random; ours continues with the next best node.
    return max(count, create_retry)
