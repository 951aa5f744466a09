"""Follows a list at a hub, by polling or waiting; registers one engine there."""

from urllib.parse import quote

import trio

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoverySink, Entry
from swarmcore.stores import Report, StoreError, describe_entry, follow
from swarmcore.stores.http import StoreReply
from swarmcore_discovery_token.clients import HubClient
from swarmcore_discovery_token.hub_address import Place

#: How long our own hub may delay an answer; Swarm classic's hub did not support waiting.
_WAIT_SECONDS = 55


class TokenDiscovery:
    """Implements ``Discovery`` and ``Registrar``.

    Args:
        client: sends requests to the hub.
        place: the list's place.
        options: heartbeat and time to live.
    """

    def __init__(self, client: HubClient, place: Place, options: DiscoveryOptions) -> None:
        self._client = client
        self._place = place
        self._options = options
        self._registered = False

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        async with self._client.connected():
            await follow(self._watch, sink, hold_seconds=self._options.hold_seconds)

    async def _watch(self, report: Report) -> None:
        """Poll at each heartbeat, or wait for changes if the hub supports that."""
        tag = ""
        while True:
            reply = await self._list(tag)
            if reply.status != 304:
                report(_addresses(reply, self._place))
            tag = reply.headers.get("etag", "")
            if not tag:
                await trio.sleep(self._options.heartbeat_seconds)

    async def _list(self, tag: str) -> StoreReply:
        if not tag:
            # Hubs without labels ignore the parameter.
            reply = await self._client.ask("GET", "?labels=1")
        else:
            reply = await self._client.ask(
                "GET",
                f"?labels=1&wait={_WAIT_SECONDS}",
                headers={"If-None-Match": tag},
                wait_seconds=_WAIT_SECONDS,
            )
        if reply.status not in (200, 304):
            # Classic's text, with an explanation.
            raise StoreError(
                f"{self._place}: Failed to fetch entries, Discovery service returned "
                f"{reply.status} HTTP status code{_hint(reply)}"
            )
        return reply

    # ---- registering

    async def register(self, entry: Entry) -> None:
        """See ``Registrar``.

        Raises:
            ConfigError: at the first request, the hub has no such cluster or refuses the address.
        """
        reply = await self._client.ask(
            "POST",
            f"?ttl={round(self._options.ttl_seconds)}",
            body=describe_entry(entry).encode(),
            headers={"Content-Type": "application/json"},
        )
        if reply.status == 200:
            self._registered = True
            return
        reason = f"{self._place}: status {reply.status}{_hint(reply)}"
        if reply.status in (400, 401, 403, 404) and not self._registered:
            raise ConfigError(reason)
        raise StoreError(reason)

    async def leave(self, entry: Entry) -> None:
        """See ``Registrar``; at a hub without this request, the entry expires."""
        reply = await self._client.ask("DELETE", f"/{quote(str(entry.address), safe='')}")
        if reply.status not in (200, 404, 405):
            raise StoreError(f"{self._place}: status {reply.status}{_hint(reply)}")


def _addresses(reply: StoreReply, place: Place) -> list[str]:
    try:
        listed = reply.json()
    except ValueError as error:
        raise StoreError(f"{place}: Failed to decode response: {error}") from None
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise StoreError(f"{place}: Failed to decode response: not a list of texts")
    return listed


def _hint(reply: StoreReply) -> str:
    if reply.status == 404:
        return ": the hub has no cluster with this token; create one with 'swarmcore create'"
    try:
        text = str(reply.json()["message"])
    except (ValueError, KeyError, TypeError):
        text = reply.text[:200]
    return f": {text}" if text else ""
