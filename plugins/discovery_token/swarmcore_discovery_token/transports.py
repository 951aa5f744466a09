"""The two HTTP clients behind one seam: httpx, which always works, and asks, an extra."""

import importlib.util
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from swarmcore.errors import ConfigError, reason_of
from swarmcore.protocols import DiscoveryOptions, TLSFiles
from swarmcore.stores import StoreError, read_tls, store_context
from swarmcore_discovery_token.place import Place
from swarmcore_discovery_token.replies import Reply
from swarmcore_discovery_token.with_asks import ask_with_asks
from swarmcore_discovery_token.with_httpx import ask_with_httpx

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 10.0


#: method, URL, body, headers -> the answer; raises what the client raises.
_Client = Callable[[str, str, bytes, Mapping[str, str]], Awaitable[Reply]]


class Transport:
    """Asks a hub.

    Args:
        name: ``httpx`` or ``asks``.
        client: does it.
        place: for authorization, and to be named in errors.
    """

    def __init__(self, name: str, client: _Client, place: Place) -> None:
        self.name = name
        self._client = client
        self._place = place

    async def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = 0,
    ) -> Reply:
        """Ask once.

        Args:
            method, url, body, headers: of the request.
            wait_seconds: how long the hub may hold the answer back.

        Raises:
            StoreError: there is no answer, or an endless one.
        """
        sent = {**_authorization(self._place), **(headers or {})}
        seconds = _ANSWER_SECONDS + wait_seconds
        try:
            with trio.fail_after(seconds):
                return await self._client(method, url, body, sent)
        except trio.TooSlowError:
            raise StoreError(f"{self._place}: no answer within {seconds:g} s") from None
        except Exception as error:  # the two clients have no error in common
            raise StoreError(f"{self._place}: {reason_of(error)}") from None


def choose_transport(place: Place, options: DiscoveryOptions) -> Transport:
    """asks where it is installed, else httpx; ``token.client`` says which.

    Raises:
        ConfigError: the one that was asked for is missing or cannot work, or a file of TLS.
    """
    wanted = options.options.get("token.client", "auto")
    if wanted not in ("auto", "asks", "httpx"):
        raise ConfigError(f"--discovery-opt token.client={wanted}: auto, asks or httpx")
    reason = _why_not_asks(place)
    if wanted == "asks" and reason:
        raise ConfigError(f"--discovery-opt token.client=asks: {reason}")
    context = store_context(read_tls(options, "token") or TLSFiles())
    if wanted == "httpx" or reason:
        return Transport("httpx", partial(ask_with_httpx, context), place)
    log.info("the hub is asked with asks")
    return Transport("asks", partial(ask_with_asks, context), place)


def _why_not_asks(place: Place) -> str:
    """Why asks cannot be used here; empty when it can."""
    if importlib.util.find_spec("asks") is None:
        return "it is not installed: pip install 'swarmcore-discovery-token[asks]'"
    if "[" in place.base:
        return "it cannot speak to an IPv6 address; use token.client=httpx"
    return ""


def _authorization(place: Place) -> Mapping[str, str]:
    if not place.user:
        return {}
    pair = f"{place.user}:{place.password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}
