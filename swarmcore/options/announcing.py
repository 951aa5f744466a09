"""What ``join`` and ``list`` are told, checked in classic's order and in its words."""

from collections.abc import Mapping
from dataclasses import dataclass

from swarmcore.addresses import Address, parse_address
from swarmcore.errors import ConfigError
from swarmcore.options.flags import Option
from swarmcore.options.option_tables import DISCOVERY, DISCOVERY_OPT, PLUGIN
from swarmcore.options.options import read_discovery
from swarmcore.options.settings import Setting
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Entry

JOIN_OPTIONS = (
    Option(
        "advertise",
        "where managers reach the engine",
        aliases=("addr",),
        env="SWARM_ADVERTISE",
        value="HOST:PORT",
    ),
    Option("label", "a label of the node; repeatable", kind="pairs", value="KEY=VALUE"),
    Option(
        "heartbeat",
        "how often the engine is announced again",
        kind="duration",
        default=("60s",),
        value="DURATION",
    ),
    Option(
        "ttl",
        "how long the engine stays in the list after the last announcement",
        kind="duration",
        default=("180s",),
        value="DURATION",
    ),
    Option(
        "delay",
        "wait for a random time below this first, so that a fleet does not come at once",
        kind="duration",
        default=("0s",),
        value="DURATION",
    ),
    PLUGIN,
    DISCOVERY_OPT,
    DISCOVERY,
)

LIST_OPTIONS = (
    Option(
        "timeout",
        "how long to wait for the list",
        kind="duration",
        default=("10s",),
        value="DURATION",
    ),
    PLUGIN,
    DISCOVERY_OPT,
    DISCOVERY,
)


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """What ``swarmcore join`` was told.

    Attributes:
        uri: where to announce.
        entry: the engine.
        discovery: heartbeat, time to live, ``--discovery-opt``.
        delay_seconds: wait for a random time below this first.
        plugins: names as given with ``--plugin``.
    """

    uri: DiscoveryURI
    entry: Entry
    discovery: DiscoveryOptions
    delay_seconds: float = 0.0
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What ``swarmcore list`` was told.

    Attributes:
        uri: what to list.
        discovery: ``--discovery-opt``; the heartbeat is the timeout, as in classic.
        timeout_seconds: how long to wait for the list.
        plugins: names as given with ``--plugin``.
    """

    uri: DiscoveryURI
    discovery: DiscoveryOptions
    timeout_seconds: float
    plugins: tuple[str, ...] = ()


def build_join(settings: Mapping[str, Setting]) -> JoinOptions:
    """Check what ``join`` was told.

    Raises:
        ConfigError: a value that cannot work, alone or with another.
    """
    uri = read_discovery(settings["discovery"], "join")
    address = advertised(settings["advertise"].value)
    delay = settings["delay"].value
    if delay < 0:
        raise ConfigError("--delay should not be a negative number")
    heartbeat = settings["heartbeat"].value
    if heartbeat < 1:
        raise ConfigError("--heartbeat should be at least one second")
    ttl = settings["ttl"].value
    if ttl <= heartbeat:
        raise ConfigError("--ttl must be strictly superior to the heartbeat value")
    options = DiscoveryOptions(heartbeat, ttl, dict(settings["discovery-opt"].value))
    entry = Entry(address, dict(settings["label"].value))
    return JoinOptions(uri, entry, options, delay, settings["plugin"].value)


def build_list(settings: Mapping[str, Setting]) -> ListOptions:
    """Check what ``list`` was told.

    Raises:
        ConfigError: a value that cannot work.
    """
    uri = read_discovery(settings["discovery"], "list")
    timeout = settings["timeout"].value
    if timeout <= 0:
        raise ConfigError("--timeout should be a positive number")
    options = DiscoveryOptions(timeout, 0.0, dict(settings["discovery-opt"].value))
    return ListOptions(uri, options, timeout, settings["plugin"].value)


def advertised(text: str) -> Address:
    """Read ``--advertise``.

    Raises:
        ConfigError: it is missing, or not ``host:port``.
    """
    if not text:
        raise ConfigError("missing mandatory --advertise flag")
    try:
        address = parse_address(f"tcp://{text}")
    except ConfigError as error:
        raise ConfigError(
            f"--advertise should be of the form ip:port or hostname:port: {error}"
        ) from None
    return address
