"""asks as a hub's client, imported at the first question.

It has had no release since 2022, and wants an anyio of that time.  Its limits: its timeouts do not
cover connecting, it reads an answer of any size, it fails on a relative redirect and on an IPv6
address as host, and cancelled while it connects it leaves the socket to Python's collector.
"""

import contextlib
import importlib
import importlib.metadata
import ssl
import sys
import types
from collections.abc import Mapping
from typing import Any

import trio

from swarmcore_discovery_token.replies import Reply, add_chunk


async def ask_with_asks(
    context: ssl.SSLContext, method: str, url: str, body: bytes, headers: Mapping[str, str]
) -> Reply:
    """Ask once; raises what asks raises."""
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
    if isinstance(response.body, bytes):  # what it has for an empty answer
        add_chunk(content, response.body)
    else:
        async with response.body as streamed, contextlib.aclosing(streamed.__aiter__()) as chunks:
            async for chunk in chunks:
                add_chunk(content, chunk)
    named = {key.lower(): value for key, value in response.headers.items()}
    return Reply(int(response.status_code), named, bytes(content))


def _import_asks() -> Any:
    """asks, after anyio 3 was shown the one name of trio's that it misses.

    anyio 3 names ``trio.MultiError``, which trio dropped in 0.25; with anyio 4 nothing is needed.
    """
    if int(importlib.metadata.version("anyio").partition(".")[0]) < 4 and (
        "anyio._backends._trio" not in sys.modules
    ):

        class MultiError(BaseExceptionGroup[BaseException]):
            """Stands where trio had one."""

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
