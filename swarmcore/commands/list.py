"""``swarmcore list``: shows the engines of a discovery.  Error texts are Swarm classic's."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from swarmcore.command_line import Call, Command, Option, Setting, Usage
from swarmcore.commands.arguments import with_discovery
from swarmcore.errors import ConfigError
from swarmcore.options.option_tables import DISCOVERY, DISCOVERY_OPT, PLUGIN
from swarmcore.options.options import read_discovery
from swarmcore.printable import printable
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI

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
class ListOptions:
    """The options of ``swarmcore list``.

    Attributes:
        uri: the discovery.
        discovery: ``--discovery-opt``; the heartbeat is the timeout, as in Swarm classic.
        timeout_seconds: time limit for the list.
        plugins: names given by ``--plugin``.
    """

    uri: DiscoveryURI
    discovery: DiscoveryOptions
    timeout_seconds: float
    plugins: tuple[str, ...] = ()


def build_list(settings: Mapping[str, Setting]) -> ListOptions:
    """Check the options of ``list``.

    Raises:
        ConfigError: a value is invalid.
    """
    uri = read_discovery(settings["discovery"], "list")
    timeout = settings["timeout"].value
    if timeout <= 0:
        raise ConfigError("--timeout should be a positive number")
    options = DiscoveryOptions(timeout, 0.0, dict(settings["discovery-opt"].value))
    return ListOptions(uri, options, timeout, settings["plugin"].value)


def _run(call: Call) -> int:
    options = build_list(with_discovery(call).settings())
    from swarmcore.commands.list_reader import read_list

    entries = read_list(options)
    sys.stdout.write("".join(f"{printable(str(entry.address))}\n" for entry in entries))
    return 0


LIST = Command(
    Usage(
        "list",
        "show the engines that a discovery finds",
        "DISCOVERY",
        LIST_OPTIONS,
        aliases=("l",),
    ),
    _run,
)
