"""``swarmcore join``: keeps one engine in a discovery's list.  Error texts are Swarm classic's."""

from collections.abc import Mapping
from dataclasses import dataclass

from swarmcore.addresses import Address, parse_address
from swarmcore.command_line import Call, Command, Option, Setting, Usage
from swarmcore.commands.arguments import with_discovery
from swarmcore.errors import ConfigError
from swarmcore.options.option_tables import DISCOVERY, DISCOVERY_OPT, PLUGIN
from swarmcore.options.options import read_discovery
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Entry

JOIN_OPTIONS = (
    Option(
        "advertise",
        "the address at which managers reach the engine",
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
        "upper limit of a random delay at the start",
        kind="duration",
        default=("0s",),
        value="DURATION",
    ),
    PLUGIN,
    DISCOVERY_OPT,
    DISCOVERY,
)


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """The options of ``swarmcore join``.

    Attributes:
        uri: the discovery to announce the engine in.
        entry: the engine.
        discovery: heartbeat, time to live, ``--discovery-opt``.
        delay_seconds: upper limit of a random delay at the start.
        plugins: names given by ``--plugin``.
    """

    uri: DiscoveryURI
    entry: Entry
    discovery: DiscoveryOptions
    delay_seconds: float = 0.0
    plugins: tuple[str, ...] = ()


def build_join(settings: Mapping[str, Setting]) -> JoinOptions:
    """Check the options of ``join``.

    Raises:
        ConfigError: a value is invalid, alone or together with another.
    """
    uri = read_discovery(settings["discovery"], "join")
    address = _advertised(settings["advertise"].value)
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


def _advertised(text: str) -> Address:
    """Parse ``--advertise``.

    Raises:
        ConfigError: missing, or not ``host:port``.
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


def _run(call: Call) -> int:
    options = build_join(with_discovery(call).settings())
    from swarmcore.commands.announcer import join

    return join(options)


JOIN = Command(
    Usage(
        "join",
        "announce an engine in a store until stopped",
        "DISCOVERY",
        JOIN_OPTIONS,
        "DISCOVERY is a store: etcd://, consul:// or zk://HOST[:PORT],.../PREFIX\n",
        aliases=("j",),
    ),
    _run,
)
