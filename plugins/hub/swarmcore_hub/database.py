"""The registry on disk: SQLite, written in one thread, with many changes per transaction."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import trio

from swarmcore.errors import ConfigError
from swarmcore_hub.registry import Row

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
        self._waiting: list[tuple[Sequence[Change], trio.Event]] = []
        self._asked = trio.Event()

    def load(self, now: float) -> tuple[dict[str, float], list[Row]]:
        """The clusters with their last use, and the engines, whose time to live starts again."""
        clusters = dict(self._database.execute("SELECT token, used FROM clusters"))
        rows = []
        for token, address, labels, expires, ttl in self._database.execute("SELECT * FROM nodes"):
            later = max(expires, now + max(ttl, _GRACE_SECONDS)) if ttl else expires
            if token in clusters:
                rows.append(Row(token, address, labels, later, ttl))
        return clusters, rows

    async def save(self, *changes: Change) -> None:
        """Return when *changes* are on disk; they are written together with other changes."""
        done = trio.Event()
        self._waiting.append((changes, done))
        self._asked.set()
        await done.wait()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write changes until cancelled."""
        task_status.started()
        while True:
            await self._asked.wait()
            self._asked = trio.Event()
            batch, self._waiting = self._waiting, []
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(self._write, [each for each, _ in batch])
            for _, done in batch:
                done.set()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write(self, batch: Sequence[Sequence[Change]]) -> None:
        self._database.execute("BEGIN")
        for changes in batch:
            for statement, values in changes:
                self._database.execute(statement, values)
        self._database.execute("COMMIT")
