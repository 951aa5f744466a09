"""``swarmcore hub``, a token hub, and ``swarmcore create``, which creates a cluster at a hub.

This module only has the tables of options, so that help is fast; commands import the rest.
"""

import sys

from swarmcore import hookimpl
from swarmcore.command_line import Call, Command, Option, Usage
from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles
from swarmcore.printable import printable
from swarmcore_hub.options import HUB_OPTIONS, build_hub

CREATE_OPTIONS = (
    Option(
        "hub",
        "the hub's URL, with NAME:PASSWORD@ before its host where it wants them",
        env="SWARMCORE_HUB",
        value="URL",
    ),
    Option("tlscacert", "trust this CA instead of the system's", value="FILE"),
    Option("tlscert", "client certificate", value="FILE"),
    Option("tlskey", "its private key", value="FILE"),
)


def _hub(call: Call) -> int:
    call.refuse_words()
    options = build_hub(call.settings())
    from swarmcore_hub.serving import serve_hub

    return serve_hub(options)


def _create(call: Call) -> int:
    if call.words:
        raise ConfigError("the `create` command takes no arguments. See 'swarmcore create --help'.")
    settings = call.settings()
    files = (settings[name].value for name in ("tlscacert", "tlscert", "tlskey"))
    from swarmcore_hub.create import create_cluster

    token, discovery = create_cluster(settings["hub"].value, TLSFiles(*files))
    sys.stderr.write(f"{printable(discovery)}\n")
    sys.stdout.write(f"{printable(token)}\n")
    return 0


@hookimpl
def swarmcore_commands() -> list[Command]:
    """The commands ``hub`` and ``create``."""
    return [
        Command(
            Usage("hub", "keep lists of engines, each protected by a token", "", HUB_OPTIONS),
            _hub,
        ),
        Command(
            Usage(
                "create",
                "create a new cluster at a hub, and print its token",
                "",
                CREATE_OPTIONS,
                aliases=("c",),
            ),
            _create,
        ),
    ]
