"""httpx as a hub's client."""

import ssl
from collections.abc import Mapping

import httpx

from swarmcore_discovery_token.replies import Reply, add_chunk


async def ask_with_httpx(
    context: ssl.SSLContext, method: str, url: str, body: bytes, headers: Mapping[str, str]
) -> Reply:
    """Ask once; raises what httpx raises."""
    async with (
        httpx.AsyncClient(verify=context, timeout=None, trust_env=False) as client,
        client.stream(method, url, content=body, headers=dict(headers)) as response,
    ):
        content = bytearray()
        async for chunk in response.aiter_bytes():
            add_chunk(content, chunk)
        named = {key.lower(): value for key, value in response.headers.items()}
        return Reply(response.status_code, named, bytes(content))
