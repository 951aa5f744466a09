"""Token buckets that limit the request rate of each peer.  Times are arguments."""

from dataclasses import dataclass

_MOST_PEERS = 100_000


@dataclass(slots=True)
class _Bucket:
    left: float
    seen: float


class Buckets:
    """A bucket for each peer that fills at *rate* and holds two seconds' worth.

    Args:
        rate: requests per second; 0 for no limit.
        depth: how many requests may come at once; ``None``: those of two seconds.
    """

    def __init__(self, rate: float, depth: float | None = None) -> None:
        self._rate = rate
        self._depth = depth if depth is not None else max(2 * rate, 1.0)
        self._buckets: dict[str, _Bucket] = {}

    def take(self, peer: str, now: float) -> float:
        """Take one token.

        Returns:
            0 if there was one, otherwise the seconds until there is.
        """
        if not self._rate:
            return 0.0
        bucket = self._buckets.get(peer)
        if bucket is None:
            if len(self._buckets) >= _MOST_PEERS:
                self._forget_full(now)
            bucket = self._buckets[peer] = _Bucket(self._depth, now)
        bucket.left = min(self._depth, bucket.left + (now - bucket.seen) * self._rate)
        bucket.seen = now
        if bucket.left < 1.0:
            return (1.0 - bucket.left) / self._rate
        bucket.left -= 1.0
        return 0.0

    def _forget_full(self, now: float) -> None:
        """Drop full buckets, which are the same as new ones."""
        full = self._depth / self._rate
        self._buckets = {
            peer: bucket for peer, bucket in self._buckets.items() if now - bucket.seen < full
        }
