"""Drains and labels that operators set on nodes, by the node's address in discovery.

Engines do not store these settings.  They are kept in the file given by ``--node-settings``, or,
with several managers, in the store of their election; otherwise they are lost when the manager
stops.
Nothing else is stored there, so losing it loses drains and labels but no container
(``docs/decisions/0006-node-settings.md``).
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
from swarmcore.errors import ConfigError, Conflict, SwarmError
from swarmcore.model import Drain, NodeSettings
from swarmcore.protocols import SharedText
from swarmcore.threads import in_thread

_NOTHING = NodeSettings()


class NodeSettingsStore:
    """The settings of all nodes, including nodes that are not in the cluster now.

    Args:
        path: the settings file; ``None`` for no file.
        shared: the settings in the election's store; ``None`` without one.  A file takes
            precedence.

    Raises:
        ConfigError: the file exists and cannot be read.
    """

    def __init__(self, path: Path | None = None, shared: SharedText | None = None) -> None:
        self._path = path
        self._shared = shared if path is None else None
        #: The text in the store, as it was last read or written.
        self._text = ""
        self._settings = {} if path is None else _read(path)
        self._writing = trio.Lock()

    @property
    def is_kept(self) -> bool:
        """Whether settings survive a restart of the manager."""
        return self._path is not None or self._shared is not None

    async def load(self) -> None:
        """Read the settings from the election's store, as another manager may have changed them.

        Raises:
            SwarmError: the store does not answer, or has something else there.
        """
        if self._shared is None:
            return
        text = await self._shared.read()
        try:
            self._settings = _parse(text) if text else {}
        except _MALFORMED as error:
            raise SwarmError(f"the settings of nodes in the store are damaged: {error}") from error
        self._text = text

    async def reload(self) -> None:
        """Read the file again, which the operator may have changed; does nothing without one.

        Raises:
            ConfigError: it cannot be read, or it is gone; the settings have not changed.
        """
        if self._path is None:
            return
        async with self._writing:
            self._settings = await in_thread(_read, self._path, bool(self._settings))

    def of(self, address: str) -> NodeSettings:
        """The settings of the node at *address*."""
        return self._settings.get(address, _NOTHING)

    async def drain(self, address: str, drained: Drain | None) -> None:
        """Drain the node at *address*; ``None`` ends its drain.

        Raises:
            SwarmError: the setting cannot be stored; nothing has changed.
        """
        async with self._writing:
            await self._put(address, NodeSettings(drained, self.of(address).labels))

    async def label(self, address: str, changes: Mapping[str, str | None]) -> None:
        """Add labels to the node at *address*; the value ``None`` removes an added label.

        Raises:
            SwarmError: the setting cannot be stored; nothing has changed.
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
        # Shielded from the client's cancellation, so that memory and store stay the same.
        with trio.CancelScope(shield=True):
            if self._path is not None:
                await in_thread(_write, self._path, changed)
            elif self._shared is not None:
                await self._write_shared(self._shared, _dump(changed))
        self._settings = changed

    async def _write_shared(self, shared: SharedText, text: str) -> None:
        if not await shared.write(text, replacing=self._text):
            await self.load()
            raise Conflict(
                "another manager has changed the settings of nodes meanwhile; nothing has changed,"
                " try again"
            )
        self._text = text


def _read(path: Path, must_exist: bool = False) -> dict[str, NodeSettings]:
    try:
        return _parse(path.read_bytes())
    except FileNotFoundError:
        if not path.parent.is_dir():
            reason = f"there is no folder {path.parent}"
        elif must_exist:
            reason = "the file is gone"
        else:
            return {}
    except OSError as error:
        reason = f"cannot read it: {error.strerror}"
    except _MALFORMED as error:
        reason = f'not of the form {{"nodes": {{"HOST:PORT": {{...}}}}}}: {error}'
    raise ConfigError(f"--node-settings {path}: {reason}")


#: What reading a malformed text raises.
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, ConfigError)


def _parse(text: str | bytes) -> dict[str, NodeSettings]:
    nodes = json.loads(text)["nodes"]
    return {str(parse_address(key)): _read_settings(value) for key, value in nodes.items()}


def _dump(settings: Mapping[str, NodeSettings]) -> str:
    nodes = {address: _settings_document(settings[address]) for address in sorted(settings)}
    return json.dumps({"nodes": nodes}, indent=2, ensure_ascii=False) + "\n"


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
        moves=fields.get("moves") is True,
    )


def _write(path: Path, settings: Mapping[str, NodeSettings]) -> None:
    """Replace the file atomically: after a crash it holds the old or the new settings."""
    text = _dump(settings)
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
        if drained.moves:
            document["drained"]["moves"] = True
    if settings.labels:
        document["labels"] = dict(sorted(settings.labels.items()))
    return document
