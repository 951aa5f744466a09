"""The engines of each cluster, with their time to live.

Times are arguments, in Unix seconds, because they must survive a restart.
"""

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from swarmcore import chance
from swarmcore.errors import BadRequest, NotFound, Unavailable

_LONGEST_SECONDS = 86_400.0

#: Classic's manager fails on a list with an entry that is not ``host:port``.
_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LABEL = re.compile(r"[^\s=]+=\S*")

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the registry.

    Attributes:
        clusters: number of clusters.
        nodes: number of engines in one cluster.
        idle_seconds: a cluster without engines for this time is removed.
    """

    clusters: int = 100_000
    nodes: int = 10_000
    idle_seconds: float = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Row:
    """One engine of one cluster, as it is stored.

    Attributes:
        token: the cluster's token.
        address: ``host:port``.
        labels: ``key=value`` texts, separated by spaces.
        expires: Unix seconds; ``FOREVER`` without a time to live.
        ttl_seconds: the requested time to live; 0 for none.
    """

    token: str
    address: str
    labels: str = ""
    expires: float = FOREVER
    ttl_seconds: float = 0.0


@dataclass(slots=True)
class _Cluster:
    rows: dict[str, Row] = field(default_factory=dict)
    version: int = 0
    used: float = 0.0


class Registry:
    """All clusters.

    Args:
        limits: limits of the registry.
        clusters: token -> Unix seconds of its last use, from the database.
        rows: engines, from the database.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        clusters: Mapping[str, float] | None = None,
        rows: Iterable[Row] = (),
    ) -> None:
        self._limits = limits or Limits()
        self._clusters = {token: _Cluster(used=used) for token, used in (clusters or {}).items()}
        self._expiries: list[tuple[float, str, str]] = []
        for row in rows:
            self._put(self._clusters[row.token], row)

    def create(self, now: float) -> str:
        """Create a cluster; return its token.

        Raises:
            Unavailable: there are too many clusters.
        """
        if len(self._clusters) >= self._limits.clusters:
            raise Unavailable(f"this hub keeps no more than {self._limits.clusters} clusters")
        token = chance.token_hex(16)
        self._clusters[token] = _Cluster(used=now)
        return token

    def register(self, token: str, text: str, ttl_seconds: float, now: float) -> Row:
        """Add an engine, or renew its time to live.

        Args:
            token: the cluster's token.
            text: ``host:port``, followed by labels if any.
            ttl_seconds: how long the engine stays unless it is registered again; 0: no limit.
            now: Unix seconds.

        Raises:
            NotFound: there is no such cluster.
            BadRequest: the address or a label is malformed.
            Unavailable: the cluster is full.
        """
        cluster = self._cluster(token)
        address, labels = read_registration(text)
        if address not in cluster.rows and len(cluster.rows) >= self._limits.nodes:
            raise Unavailable(f"a cluster has no more than {self._limits.nodes} engines")
        ttl = min(max(ttl_seconds, 1.0), _LONGEST_SECONDS) if ttl_seconds else 0.0
        row = Row(token, address, labels, now + ttl if ttl else FOREVER, ttl)
        before = cluster.rows.get(address)
        if before is None or before.labels != labels:
            cluster.version += 1
        cluster.used = now
        self._put(cluster, row)
        return row

    def remove(self, token: str, address: str) -> None:
        """Remove an engine.

        Raises:
            NotFound: there is no such cluster or engine.
        """
        cluster = self._cluster(token)
        if cluster.rows.pop(address, None) is None:
            raise NotFound(f"no such engine: {address}")
        cluster.version += 1

    def find(self, token: str, address: str) -> Row | None:
        """The engine at *address* in a cluster; ``None`` if there is none."""
        cluster = self._clusters.get(token)
        return cluster.rows.get(address) if cluster else None

    def undo(self, token: str, address: str, before: Row | None, now: Row | None) -> None:
        """Undo a change of one engine that cannot be stored, unless another one followed.

        Args:
            token: the cluster's token.
            address: the engine's address.
            before: the engine before the change; ``None`` if it was not there.
            now: the engine after the change; ``None`` if it was removed.
        """
        cluster = self._clusters.get(token)
        if cluster is None or cluster.rows.get(address) is not now:
            return
        if before is None:
            del cluster.rows[address]
        else:
            self._put(cluster, before)
        cluster.version += 1

    def drop(self, token: str) -> Callable[[], None]:
        """Remove a cluster; return a function that puts it back.

        Raises:
            NotFound: there is no such cluster.
        """
        cluster = self._cluster(token)
        del self._clusters[token]

        def put_back() -> None:
            self._clusters.setdefault(token, cluster)
            cluster.version += 1
            for row in cluster.rows.values():
                self._put(cluster, row)  # its end may have been passed over meanwhile

        return put_back

    def list(self, token: str, *, labels: bool = False) -> Sequence[str]:
        """The engines of a cluster, sorted, with labels if requested.

        Raises:
            NotFound: there is no such cluster.
        """
        rows = self._cluster(token).rows
        return [
            f"{address} {rows[address].labels}".rstrip() if labels else address
            for address in sorted(rows)
        ]

    def version(self, token: str) -> int:
        """A number that changes with the list.

        Raises:
            NotFound: there is no such cluster.
        """
        return self._cluster(token).version

    def expire(self, now: float) -> set[str]:
        """Remove engines whose time to live has ended; return the tokens of changed lists."""
        changed = set()
        while self._expiries and self._expiries[0][0] <= now:
            expires, token, address = heapq.heappop(self._expiries)
            cluster = self._clusters.get(token)
            row = cluster.rows.get(address) if cluster else None
            if cluster is None or row is None or row.expires != expires:
                continue  # it was renewed or removed
            del cluster.rows[address]
            cluster.version += 1
            changed.add(token)
        return changed

    def drop_idle(self, now: float) -> set[str]:
        """Remove clusters that have not been used for long; return their tokens."""
        oldest = now - self._limits.idle_seconds
        idle = {
            token
            for token, cluster in self._clusters.items()
            if not cluster.rows and cluster.used < oldest
        }
        for token in idle:
            del self._clusters[token]
        return idle

    def _cluster(self, token: str) -> _Cluster:
        try:
            return self._clusters[token]
        except KeyError:
            raise NotFound("no cluster has this token; run 'swarmcore create' for one") from None

    def _put(self, cluster: _Cluster, row: Row) -> None:
        cluster.rows[row.address] = row
        if row.expires != FOREVER:
            heapq.heappush(self._expiries, (row.expires, row.token, row.address))


def read_registration(text: str) -> tuple[str, str]:
    """Split ``host:port [key=value ...]``.

    Raises:
        BadRequest: malformed; the message says what is expected.
    """
    address, *labels = text.strip().strip('"').split() or [""]
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found[2]) <= 65535:
        raise BadRequest(f"not an engine's address: {address[:100]!r}; send HOST:PORT")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise BadRequest(f"not a label: {label[:100]!r}; send KEY=VALUE")
    return address, " ".join(labels)
