"""The HTTP clients for hubs: that of the core, and asks, an optional extra."""

import importlib.util
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, TLSFiles
from swarmcore.stores import read_tls
from swarmcore.stores.http import StoreClient, StoreReply, store_context
from swarmcore_discovery_token.hub_address import ANSWER_SECONDS, LARGEST_BYTES, Place
from swarmcore_discovery_token.with_asks import AsksClient

log = logging.getLogger(__name__)


class HubClient(Protocol):
    """The part of ``StoreClient`` that a hub needs; paths are relative to the list's URL."""

    def connected(self) -> AbstractAsyncContextManager[None]:
        """See ``StoreClient``."""
        ...

    async def ask(
        self,
        method: str,
        path: str = "",
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = 0.0,
    ) -> StoreReply:
        """See ``StoreClient``."""
        ...


def choose_client(place: Place, options: DiscoveryOptions) -> HubClient:
    """Choose asks if it is installed, otherwise httpx, unless ``token.client`` names one.

    Raises:
        ConfigError: the requested client is missing or cannot be used, or a TLS file cannot.
    """
    wanted = options.options.get("token.client", "auto")
    if wanted not in ("auto", "asks", "httpx"):
        raise ConfigError(f"--discovery-opt token.client={wanted}: auto, asks or httpx")
    reason = _why_not_asks(place)
    if wanted == "asks" and reason:
        raise ConfigError(f"--discovery-opt token.client=asks: {reason}")
    tls = read_tls(options, "token") or TLSFiles()
    if wanted == "httpx" or reason:
        return StoreClient(
            place.cluster,
            tls,
            place.authorization,
            name=str(place),
            answer_seconds=ANSWER_SECONDS,
            largest_bytes=LARGEST_BYTES,
        )
    log.info("the hub is asked with asks")
    return AsksClient(store_context(tls, secure=True), place)


def _why_not_asks(place: Place) -> str:
    """Why asks cannot be used here; empty if it can."""
    if importlib.util.find_spec("asks") is None:
        return "it is not installed: pip install 'swarmcore-discovery-token[asks]'"
    if "[" in place.base:
        return "it cannot speak to an IPv6 address; use token.client=httpx"
    return ""
