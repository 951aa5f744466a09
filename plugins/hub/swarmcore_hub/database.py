"""The registry on disk: SQLite, written in one thread, with many changes per transaction.

A write that fails, because the disk is full for example, is refused; the hub keeps serving.
"""

import logging
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from swarmcore.errors import BadRequest, ConfigError, SwarmError
from swarmcore.http.server.rare_log import RareLog
from swarmcore.threads import in_thread
from swarmcore_hub.registry import Row, read_registration

log = logging.getLogger(__name__)

#: Minimum time to live after a restart, as an outage of the hub must not empty clusters.
_GRACE_SECONDS = 180.0

_TABLES = """
CREATE TABLE IF NOT EXISTS clusters (token TEXT PRIMARY KEY, used REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nodes (
    token TEXT NOT NULL, address TEXT NOT NULL, labels TEXT NOT NULL,
    expires REAL NOT NULL, ttl REAL NOT NULL, PRIMARY KEY (token, address)
) WITHOUT ROWID;
"""

Change = tuple[str, Sequence[object]]


class NotStored(SwarmError):
    """A change cannot be written to disk."""

    status = 507


@dataclass(slots=True)
class _Batched:
    """Changes that wait for the next transaction, and its result."""

    changes: Sequence[Change]
    done: trio.Event = field(default_factory=trio.Event)
    failure: str = ""


def created(token: str, now: float) -> Change:
    """The change that stores a cluster, last used at *now*."""
    return "INSERT OR REPLACE INTO clusters VALUES (?, ?)", (token, now)


def registered(row: Row) -> Change:
    """The change that stores an engine."""
    values = (row.token, row.address, row.labels, row.expires, row.ttl_seconds)
    return "INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?)", values


def removed(token: str, address: str) -> Change:
    """The change that removes an engine."""
    return "DELETE FROM nodes WHERE token = ? AND address = ?", (token, address)


def dropped(token: str) -> Sequence[Change]:
    """The changes that remove a cluster and its engines."""
    return (
        ("DELETE FROM nodes WHERE token = ?", (token,)),
        ("DELETE FROM clusters WHERE token = ?", (token,)),
    )


def expired(now: float) -> Change:
    """The change that removes engines whose time to live has ended."""
    return "DELETE FROM nodes WHERE expires <= ?", (now,)


class Database:
    """A database file.

    Args:
        folder: created if it does not exist, accessible to its owner only, as tokens are secrets.

    Raises:
        ConfigError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "hub.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"--data-dir {folder}: {error}") from None
        # A damaged text must not keep the other rows from being read.
        self._database.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        self._path = path
        self._waiting: list[_Batched] = []
        self._asked = trio.Event()
        self._rare_log = RareLog(log)

    def load(self, now: float) -> tuple[dict[str, float], list[Row]]:
        """The clusters with their last use, and the engines, whose time to live starts again.

        Damaged rows are logged and left out.

        Raises:
            ConfigError: the file is damaged so that SQLite cannot read it.
        """
        try:
            clusters = self._load_clusters()
            rows = [
                row
                for values in self._database.execute("SELECT * FROM nodes")
                if (row := self._row(values, clusters, now)) is not None
            ]
        except sqlite3.Error as error:
            raise ConfigError(
                f"{self._path}: {error}; restore the file from a backup, repair it with 'sqlite3"
                f" {self._path} .recover', or move it away to begin with no clusters"
            ) from None
        return clusters, rows

    def _load_clusters(self) -> dict[str, float]:
        clusters = {}
        for token, used in self._database.execute("SELECT token, used FROM clusters"):
            if isinstance(token, str) and isinstance(used, float):
                clusters[token] = used
            else:
                log.warning("%s: leaving out a damaged cluster: %.200r", self._path, (token, used))
        return clusters

    def _row(self, values: tuple[Any, ...], clusters: dict[str, float], now: float) -> Row | None:
        try:
            row = _read_row(values, now)
        except (BadRequest, TypeError, ValueError) as error:
            log.warning("%s: leaving out a damaged engine: %.200r: %s", self._path, values, error)
            return None
        return row if row.token in clusters else None

    async def save(self, *changes: Change) -> None:
        """Return when *changes* are on disk; they are written together with other changes.

        Raises:
            NotStored: they cannot be written; nothing of them was.
        """
        batched = _Batched(changes)
        self._waiting.append(batched)
        self._asked.set()
        await batched.done.wait()
        if batched.failure:
            raise NotStored(f"the hub cannot store this: {batched.failure}; nothing has changed")

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write changes until cancelled."""
        task_status.started()
        while True:
            await self._asked.wait()
            self._asked = trio.Event()
            batch, self._waiting = self._waiting, []
            failure = ""
            with trio.CancelScope(shield=True):
                try:
                    await in_thread(self._write, [each.changes for each in batch])
                except sqlite3.Error as error:
                    failure = str(error)
                    self._rare_log.warning(
                        "cannot write %s: %s; changes are refused until it can be written",
                        self._path, error,
                    )  # fmt: skip
            for each in batch:
                each.failure = failure
                each.done.set()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write(self, batch: Sequence[Sequence[Change]]) -> None:
        try:
            self._database.execute("BEGIN")
            for changes in batch:
                for statement, values in changes:
                    self._database.execute(statement, values)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise


def _read_row(values: tuple[Any, ...], now: float) -> Row:
    """An engine from the database.

    Raises:
        BadRequest, TypeError, ValueError: the row is damaged.
    """
    token, address, labels, expires, ttl = values
    if not (isinstance(expires, float) and isinstance(ttl, float)) or math.isnan(expires + ttl):
        raise TypeError("the times are not numbers")
    if read_registration(f"{address} {labels}") != (address, labels):
        raise ValueError("the address and the labels are not those of an engine")
    later = max(expires, now + max(ttl, _GRACE_SECONDS)) if ttl else expires
    return Row(str(token), address, labels, later, ttl)
