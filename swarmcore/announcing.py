"""``join`` and ``list``: one engine kept in a discovery's list, and the list shown."""

import logging
import random
import signal
from collections.abc import Callable, Sequence
from typing import Any

import trio

from swarmcore.errors import ConfigError, SwarmError
from swarmcore.options.announcing import JoinOptions, ListOptions
from swarmcore.plugins.selection import load_discovery
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI, Entry, Registrar
from swarmcore.stores import bare_reason

log = logging.getLogger(__name__)

_LEAVE_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 1.0


def join(options: JoinOptions) -> int:
    """Announce an engine until a signal says to stop, then take it out of the list.

    Returns:
        The exit status: 0.

    Raises:
        ConfigError: the discovery takes no announcements, or not this one.
    """
    discovery = _open(options.uri, options.discovery, options.plugins)
    if not isinstance(discovery, Registrar):
        raise ConfigError(
            f"{options.uri.scheme}:// takes no announcements: its list is made by hand; "
            "join needs a store, as etcd://, consul:// or zk://"
        )
    trio.run(_join, discovery, options)
    return 0


def show_list(options: ListOptions, say: Callable[[str], object]) -> int:
    """Print the list, one address a line.

    Args:
        options: what to list.
        say: takes the text.

    Returns:
        The exit status: 0.

    Raises:
        SwarmError: the list cannot be read, or not in time.
    """
    discovery = _open(options.uri, options.discovery, options.plugins)
    entries = trio.run(_first_list, discovery, options.timeout_seconds)
    say("".join(f"{entry.address}\n" for entry in entries))
    return 0


def _open(uri: DiscoveryURI, options: DiscoveryOptions, plugins: Sequence[str]) -> Discovery:
    return load_discovery(uri, plugins).discovery(uri, options)


# ---- join


async def _join(registrar: Registrar, options: JoinOptions) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_announce, registrar, options)
            async for number in signals:
                log.info("%s: leaving the list", signal.Signals(number).name)
                nursery.cancel_scope.cancel()
                break


async def _announce(registrar: Registrar, options: JoinOptions) -> None:
    """Register at each heartbeat, sooner after a failure; leave when cancelled."""
    heartbeat = options.discovery.heartbeat_seconds
    pause = _FIRST_PAUSE_SECONDS
    await trio.sleep(random.uniform(0, options.delay_seconds))
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
                log.error("not registered: %s; trying again in %g s", error, pause)
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
                log.error("still in the list until its time to live ends: %s", error)
        if leaving.cancelled_caught:
            log.error("still in the list until its time to live ends: no answer")


# ---- list


class _FirstList:
    """A ``DiscoverySink`` that waits for the first thing that it is told."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[Sequence[Entry] | str](1)

    def entries(self, entries: Sequence[Entry], problems: Sequence[str] = ()) -> None:
        for problem in problems:
            log.error("%s; it is skipped", problem)
        self._tell(entries)

    def failed(self, reason: str) -> None:
        self._tell(reason)

    def _tell(self, told: Sequence[Entry] | str) -> None:
        if not self._send.statistics().current_buffer_used:
            self._send.send_nowait(told)

    async def wait(self) -> Sequence[Entry]:
        told: Any = await self._receive.receive()
        if isinstance(told, str):
            raise SwarmError(bare_reason(told))
        entries: Sequence[Entry] = told
        return entries


async def _first_list(discovery: Discovery, timeout_seconds: float) -> Sequence[Entry]:
    sink = _FirstList()
    try:
        with trio.fail_after(timeout_seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(discovery.watch, sink)
                entries = await sink.wait()
                nursery.cancel_scope.cancel()
    except trio.TooSlowError:
        raise SwarmError(f"Timed out: no list within {timeout_seconds:g} s") from None
    return entries
