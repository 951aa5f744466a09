"""Positional arguments of commands."""

from dataclasses import replace

from swarmcore.command_line import Call


def with_discovery(call: Call) -> Call:
    """*call* with its single word as the discovery; as in classic, several words are ignored."""
    if len(call.words) != 1:
        return call
    return replace(call, given={**call.given, "discovery": call.words})
