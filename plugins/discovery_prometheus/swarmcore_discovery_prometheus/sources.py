"""The sources of documents: an HTTP server, or files that match a pattern."""

import glob
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions
from swarmcore.stores import StoreError, read_tls
from swarmcore.stores.http import StoreClient
from swarmcore.threads import in_thread

#: Name of the source -> text of the document.
Documents = dict[str, str]

_ANSWER_SECONDS = 10.0

#: Size limit; a list of all hosts of a /16 with labels needs a tenth of it.
_LARGEST_BYTES = 64 * 1024 * 1024


class Source(Protocol):
    """A source of documents."""

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Keep connections open until the context ends."""
        ...

    async def read(self) -> Documents:
        """Read every document once.

        Raises:
            StoreError: one cannot be read.
        """
        ...


class HTTPSource:
    """A document from an HTTP server.

    Args:
        url: ``http`` or ``https``; may have a name and a password.
        options: the heartbeat, which is sent to the server, and ``prometheus.*file``.

    Raises:
        ConfigError: the URL is malformed, or a TLS file cannot be used.
    """

    def __init__(self, url: str, options: DiscoveryOptions) -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ConfigError(f"prometheus+{url}: {error}") from None
        if not parsed.host:
            raise ConfigError(f"prometheus+{url} names no host; write prometheus+http://HOST/PATH")
        self._where = str(parsed.copy_with(userinfo=b""))
        self._token_file = options.options.get("prometheus.tokenfile", "")
        self._client = StoreClient(
            str(parsed),
            read_tls(options, "prometheus") if parsed.scheme == "https" else None,
            {
                "Accept": "application/json",
                "X-Prometheus-Refresh-Interval-Seconds": f"{options.heartbeat_seconds:g}",
            },
            name=self._where,
            answer_seconds=_ANSWER_SECONDS,
            largest_bytes=_LARGEST_BYTES,
        )

    def connected(self) -> AbstractAsyncContextManager[None]:
        """See ``Source``."""
        return self._client.connected()

    async def read(self) -> Documents:
        """See ``Source``."""
        headers = {}
        if self._token_file:
            headers["Authorization"] = f"Bearer {(await _read_file(self._token_file)).strip()}"
        reply = await self._client.ask("GET", headers=headers)
        if reply.status != 200:
            raise StoreError(f"{self._where}: status {reply.status}, 200 was needed")
        return {self._where: _decoded(reply.body, self._where)}


# ---- files


class FileSource:
    """Documents from files, in the order of their names.

    Args:
        pattern: an absolute path, which may have ``*`` and ``?``.

    Raises:
        ConfigError: the pattern is empty, or not an absolute path.
    """

    def __init__(self, pattern: str) -> None:
        if not pattern.startswith("/"):
            raise ConfigError(
                f"prometheus+file://{pattern} needs an absolute path; "
                "write prometheus+file:///PATH/*.json"
            )
        self._pattern = pattern

    def connected(self) -> AbstractAsyncContextManager[None]:
        """See ``Source``."""
        return nullcontext()

    async def read(self) -> Documents:
        """See ``Source``."""
        paths = await in_thread(glob.glob, self._pattern, abandon_on_cancel=True)
        if not paths:
            raise StoreError(f"{self._pattern}: no such file")
        return {path: await _read_file(path) for path in sorted(paths)}


async def _read_file(path: str) -> str:
    # Abandoned on cancellation, as a hung file system must not keep the manager running.
    read = partial(_read_bytes, path)
    content = await in_thread(read, abandon_on_cancel=True)
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
