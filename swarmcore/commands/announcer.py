"""Keeps one engine in a discovery's list until a signal stops it."""

import logging
import signal
from typing import TYPE_CHECKING

import trio

from swarmcore import chance
from swarmcore.errors import ConfigError, SwarmError
from swarmcore.plugins.selection import load_discovery
from swarmcore.protocols import Registrar

if TYPE_CHECKING:
    from swarmcore.commands.join import JoinOptions

log = logging.getLogger(__name__)

_LEAVE_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 1.0
_STAYS = "cannot remove the engine from the list, where it stays until its --ttl ends"


def join(options: "JoinOptions") -> int:
    """Announce an engine until a signal, then remove it from the list.

    Returns:
        The exit status: 0.

    Raises:
        ConfigError: the discovery does not support announcements, or refuses this one.
    """
    plugins = load_discovery(options.uri, options.plugins)
    discovery = plugins.discovery(options.uri, options.discovery)
    if not isinstance(discovery, Registrar):
        raise ConfigError(
            f"{options.uri.scheme}:// has a list that join cannot change: announce the engine in a"
            " store (etcd://, consul:// or zk://) or at a hub (token://)"
        )
    trio.run(_join, discovery, options)
    return 0


async def _join(registrar: Registrar, options: "JoinOptions") -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_announce, registrar, options)
            async for number in signals:
                log.info("%s: leaving the list", signal.Signals(number).name)
                nursery.cancel_scope.cancel()
                break


async def _announce(registrar: Registrar, options: "JoinOptions") -> None:
    """Register at each heartbeat, and sooner after a failure; leave when cancelled."""
    heartbeat = options.discovery.heartbeat_seconds
    pause = _FIRST_PAUSE_SECONDS
    await trio.sleep(chance.source().uniform(0, options.delay_seconds))
    log.info(
        "Registering on the discovery service every %g s: %s", heartbeat, options.entry.address
    )
    try:
        while True:
            try:
                await registrar.register(options.entry)
            except ConfigError:
                raise
            except SwarmError as error:
                log.error("cannot announce the engine: %s; trying again in %g s", error, pause)
                await trio.sleep(pause)
                pause = min(2 * pause, heartbeat)
            else:
                pause = _FIRST_PAUSE_SECONDS
                await trio.sleep(heartbeat)
    finally:
        with trio.move_on_after(_LEAVE_SECONDS, shield=True) as leaving:
            try:
                await registrar.leave(options.entry)
            except SwarmError as error:
                log.error("%s: %s", _STAYS, error)
        if leaving.cancelled_caught:
            log.error("%s: no answer", _STAYS)
