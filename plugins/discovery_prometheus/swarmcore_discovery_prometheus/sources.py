"""Where the documents come from: an HTTP server, or files that match a pattern."""

import glob
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import httpx
import trio

from swarmcore.errors import ConfigError, reason_of
from swarmcore.protocols import DiscoveryOptions, TLSFiles
from swarmcore.stores import StoreError, read_tls, store_context

#: Where each document was found -> its text.
Documents = dict[str, str]

#: Reads every document once.
Source = Callable[[], Awaitable[Documents]]

_ANSWER_SECONDS = 10.0

#: A list of every host of a /16 with labels is a tenth of it.
_LARGEST_BYTES = 64 * 1024 * 1024


# ---- HTTP


def http_source(url: str, options: DiscoveryOptions) -> Source:
    """Documents from a server, one for each reading.

    Args:
        url: ``http`` or ``https``; may carry a name and a password.
        options: the heartbeat, which the server is told, and ``prometheus.*file``.

    Raises:
        ConfigError: the URL is malformed, or a file of TLS cannot be used.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"prometheus+{url}: {error}") from None
    if not parsed.host:
        raise ConfigError(f"prometheus+{url} names no host; write prometheus+http://HOST/PATH")
    tls = (read_tls(options, "prometheus") or TLSFiles()) if parsed.scheme == "https" else None
    client = partial(
        httpx.AsyncClient,
        verify=store_context(tls),
        timeout=_ANSWER_SECONDS,
        trust_env=False,
        headers={
            "Accept": "application/json",
            "X-Prometheus-Refresh-Interval-Seconds": f"{options.heartbeat_seconds:g}",
        },
    )
    return partial(_read_http, client, parsed, options.options.get("prometheus.tokenfile", ""))


async def _read_http(
    client: Callable[[], httpx.AsyncClient], url: httpx.URL, token_file: str
) -> Documents:
    where = url.copy_with(userinfo=b"")
    headers = {}
    if token_file:
        headers["Authorization"] = f"Bearer {(await _read_file(token_file)).strip()}"
    try:
        # The timeouts of httpx are between two bytes; this one is for the whole answer.
        with trio.fail_after(_ANSWER_SECONDS):
            async with (
                client() as session,
                session.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code != 200:
                    raise StoreError(f"{where}: status {response.status_code}, 200 was needed")
                return {str(where): await _text(response, where)}
    except trio.TooSlowError:
        raise StoreError(f"{where}: no whole answer within {_ANSWER_SECONDS:g} s") from None
    except (httpx.HTTPError, OSError) as error:
        raise StoreError(f"{where}: {reason_of(error)}") from None


async def _text(response: httpx.Response, where: httpx.URL) -> str:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _LARGEST_BYTES:
            raise StoreError(f"{where}: larger than {_LARGEST_BYTES} bytes")
    return _decoded(bytes(content), str(where))


# ---- files


def file_source(pattern: str) -> Source:
    """Documents from files, in the order of their names.

    Args:
        pattern: an absolute path, with ``*`` and ``?`` if wanted.

    Raises:
        ConfigError: there is none, or it does not begin at the root.
    """
    if not pattern.startswith("/"):
        raise ConfigError(
            f"prometheus+file://{pattern} needs an absolute path; "
            "write prometheus+file:///PATH/*.json"
        )
    return partial(_read_files, pattern)


async def _read_files(pattern: str) -> Documents:
    paths = await trio.to_thread.run_sync(glob.glob, pattern, abandon_on_cancel=True)
    if not paths:
        raise StoreError(f"{pattern}: no such file")
    return {path: await _read_file(path) for path in sorted(paths)}


async def _read_file(path: str) -> str:
    # Abandoned when cancelled: a hung file system must not keep the manager from stopping.
    read = partial(_read_bytes, path)
    content = await trio.to_thread.run_sync(read, abandon_on_cancel=True)
    return _decoded(content, path)


def _read_bytes(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from None
    if len(content) > _LARGEST_BYTES:
        raise StoreError(f"{path}: larger than {_LARGEST_BYTES} bytes")
    return content


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoreError(f"{where}: not UTF-8 text at byte {error.start}") from None
