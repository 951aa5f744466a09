"""asks as the HTTP client for a hub; imported at the first request.

asks has had no release since 2022 and needs an anyio of that time.  Its limitations: timeouts do
not cover connecting; answers have no size limit; relative redirects and IPv6 addresses as hosts
fail; if it is cancelled while connecting, the socket is closed only by garbage collection.
"""

import contextlib
import importlib
import importlib.metadata
import ssl
import sys
import types
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import trio

from swarmcore.errors import reason_of
from swarmcore.stores import StoreError
from swarmcore.stores.http import StoreReply
from swarmcore_discovery_token.hub_address import ANSWER_SECONDS, LARGEST_BYTES, Place


class AsksClient:
    """Sends requests to a hub, as ``StoreClient`` does.

    Args:
        context: the TLS context.
        place: the list's place.
    """

    def __init__(self, context: ssl.SSLContext, place: Place) -> None:
        self._context = context
        self._place = place

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Do nothing: each request uses a new connection."""
        return nullcontext()

    async def ask(
        self,
        method: str,
        path: str = "",
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = 0.0,
    ) -> StoreReply:
        """See ``StoreClient.ask``."""
        sent = {**self._place.authorization, **(headers or {})}
        seconds = ANSWER_SECONDS + wait_seconds
        try:
            with trio.fail_after(seconds):
                return await _ask(self._context, method, self._place.cluster + path, body, sent)
        except trio.TooSlowError:
            raise StoreError(f"{self._place}: no answer within {seconds:g} s") from None
        except Exception as error:  # asks' exceptions have no common base class
            raise StoreError(f"{self._place}: {reason_of(error)}") from None


async def _ask(
    context: ssl.SSLContext, method: str, url: str, body: bytes, headers: Mapping[str, str]
) -> StoreReply:
    """Send one request; exceptions of asks are passed on."""
    asks = _import_asks()
    response = await asks.request(
        method,
        url,
        data=body,
        headers=dict(headers),
        stream=True,
        follow_redirects=False,
        ssl_context=context,
    )
    content = bytearray()
    if isinstance(response.body, bytes):  # the case of an empty answer
        _add_chunk(content, response.body)
    else:
        async with response.body as streamed, contextlib.aclosing(streamed.__aiter__()) as chunks:
            async for chunk in chunks:
                _add_chunk(content, chunk)
    named = {key.lower(): value for key, value in response.headers.items()}
    return StoreReply(int(response.status_code), named, bytes(content))


def _add_chunk(content: bytearray, chunk: bytes) -> None:
    content += chunk
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"an answer of more than {LARGEST_BYTES} bytes")


def _import_asks() -> Any:
    """Import asks; for anyio 3, provide a name that trio no longer has.

    anyio 3 refers to ``trio.MultiError``, which was removed in trio 0.25.  anyio 4 does not.
    """
    if int(importlib.metadata.version("anyio").partition(".")[0]) < 4 and (
        "anyio._backends._trio" not in sys.modules
    ):

        class MultiError(BaseExceptionGroup[BaseException]):
            """Replaces the class of the same name that trio had."""

        class View(types.ModuleType):
            MultiError = None

            def __getattr__(self, name: str) -> Any:
                return getattr(trio, name)

        view = View("trio")
        view.__dict__["MultiError"] = MultiError
        real, sys.modules["trio"] = sys.modules["trio"], view
        try:
            importlib.import_module("anyio._backends._trio")
        finally:
            sys.modules["trio"] = real
    import asks

    return asks
