"""What operators decided about nodes, by the address that discovery gives: drained, and labels.

Engines do not know these settings, so they are kept in the file that ``--node-settings`` names;
without one they last as long as the manager.  Nothing else is ever written: losing the file loses
drains and labels, and no container (``docs/decisions/0006``).
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from swarmcore.addresses import parse_address
from swarmcore.errors import ConfigError, SwarmError
from swarmcore.model import Drain, NodeSettings

_NOTHING = NodeSettings()


class NodeSettingsStore:
    """The settings of every node, present or not.

    Args:
        path: of the file that keeps them; ``None`` keeps nothing.

    Raises:
        ConfigError: there is a file, and it cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._settings = {} if path is None else _read(path)
        self._writing = trio.Lock()

    @property
    def is_kept(self) -> bool:
        """Whether what is decided now outlives the manager."""
        return self._path is not None

    def of(self, address: str) -> NodeSettings:
        """What holds for the node at *address*."""
        return self._settings.get(address, _NOTHING)

    async def drain(self, address: str, drained: Drain | None) -> None:
        """Drain the node at *address*, or end that.

        Raises:
            SwarmError: the file cannot be written; nothing has changed.
        """
        async with self._writing:
            await self._put(address, NodeSettings(drained, self.of(address).labels))

    async def label(self, address: str, changes: Mapping[str, str | None]) -> None:
        """Add labels to the node at *address*; ``None`` takes one away that was added.

        Raises:
            SwarmError: as for ``drain``.
        """
        async with self._writing:
            was = self.of(address)
            labels = {**was.labels, **changes}
            kept = {key: value for key, value in labels.items() if value is not None}
            await self._put(address, NodeSettings(was.drained, kept))

    async def _put(self, address: str, settings: NodeSettings) -> None:
        changed = {**self._settings, address: settings}
        if settings == _NOTHING:
            del changed[address]
        if self._path is not None:
            # To its end although the client has gone: what is in the file must be what holds.
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(_write, self._path, changed)
        self._settings = changed


def _read(path: Path) -> dict[str, NodeSettings]:
    try:
        nodes = json.loads(path.read_bytes())["nodes"]
        return {str(parse_address(key)): _read_settings(value) for key, value in nodes.items()}
    except FileNotFoundError:
        if path.parent.is_dir():
            return {}
        reason = f"there is no folder {path.parent}"
    except OSError as error:
        reason = f"cannot read it: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        reason = f'not of the form {{"nodes": {{"HOST:PORT": {{...}}}}}}: {error}'
    raise ConfigError(f"--node-settings {path}: {reason}")


def _read_settings(fields: Mapping[str, Any]) -> NodeSettings:
    drained, labels = fields.get("drained"), fields.get("labels") or {}
    if not all(isinstance(value, str) for value in labels.values()):
        raise ValueError("labels are texts")
    return NodeSettings(None if drained is None else _read_drain(drained), labels)


def _read_drain(fields: Mapping[str, Any]) -> Drain:
    since = fields.get("since")
    return Drain(
        reason=str(fields.get("reason") or ""),
        author=str(fields.get("author") or ""),
        since=datetime.fromisoformat(since).timestamp() if since else 0.0,
    )


def _write(path: Path, settings: Mapping[str, NodeSettings]) -> None:
    """Replace the file in one step: a crash leaves the old one or the new one."""
    nodes = {address: _settings_document(settings[address]) for address in sorted(settings)}
    text = json.dumps({"nodes": nodes}, indent=2, ensure_ascii=False) + "\n"
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        raise SwarmError(
            f"cannot write {path}: {error.strerror}; nothing has changed (--node-settings)"
        ) from error


def _settings_document(settings: NodeSettings) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if (drained := settings.drained) is not None:
        since = datetime.fromtimestamp(int(drained.since), UTC).isoformat()
        document["drained"] = {"reason": drained.reason, "author": drained.author, "since": since}
    if settings.labels:
        document["labels"] = dict(sorted(settings.labels.items()))
    return document
