"""Reads a discovery's list once."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import trio

from swarmcore.errors import SwarmError
from swarmcore.plugins.selection import load_discovery
from swarmcore.protocols import Discovery, Entry
from swarmcore.stores import bare_reason

if TYPE_CHECKING:
    from swarmcore.commands.list import ListOptions

log = logging.getLogger(__name__)


def read_list(options: "ListOptions") -> Sequence[Entry]:
    """The entries of the first list that the discovery reports.

    Raises:
        SwarmError: the list cannot be read, or not within the time limit.
    """
    plugins = load_discovery(options.uri, options.plugins)
    discovery = plugins.discovery(options.uri, options.discovery)
    return trio.run(_first_list, discovery, options.timeout_seconds)


class _FirstList:
    """A ``DiscoverySink`` that waits for the first list or failure."""

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
