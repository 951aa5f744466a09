"""How long to wait before asking an engine again; randomness comes as an argument.  Pure."""

from dataclasses import dataclass
from random import Random

#: Waits between attempts at a node that still counts as healthy: failures must add up quickly.
_AGAIN_SECONDS = 1.0
#: Classic lets the refresh interval grow at most this many times.
_SLOWEST = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an engine is asked.

    Attributes:
        refresh_min_seconds, refresh_max_seconds: ``--engine-refresh-min-interval`` and ``-max-``.
        failure_limit: failures in a row that make it unhealthy (``--engine-failure-retry``).
        probe_seconds: silence after which a healthy engine is pinged.
        ping_seconds: how long the answer to a ping may take.  With the silence before and the limit
            of failures it bounds how long a hung engine goes unnoticed.
        suspicious_seconds: between pings of an engine that just failed.
        pending_limit_seconds: longest wait between attempts at an engine never seen healthy.
        unhealthy_limit_seconds: the same for an engine that was healthy before.
    """

    refresh_min_seconds: float = 30.0
    refresh_max_seconds: float = 60.0
    failure_limit: int = 3
    probe_seconds: float = 3.0
    ping_seconds: float = 3.0
    suspicious_seconds: float = 0.5
    pending_limit_seconds: float = 30.0
    unhealthy_limit_seconds: float = 5.0

    def until_probe(self, random: Random) -> float:
        """Seconds of silence before a ping; spread, so that a thousand engines do not beat time."""
        return self.probe_seconds * random.uniform(0.75, 1.0)

    def until_refresh(self, failures: int, random: Random) -> float:
        """Seconds until the lists are read again: classic's ``min*(1+b) + random``."""
        slower = min(max(failures - self.failure_limit, 0), _SLOWEST)
        spread = max(self.refresh_max_seconds - self.refresh_min_seconds, 0.0)
        return self.refresh_min_seconds * (1 + slower) + random.random() * spread

    def until_retry(self, attempts: int, *, known: bool, random: Random) -> float:
        """Seconds before connecting again.

        Args:
            attempts: failed ones in a row, at least 1.
            known: whether the engine has been healthy before.
            random: spreads the wait.
        """
        if known:
            attempts -= self.failure_limit - 1
        limit = self.unhealthy_limit_seconds if known else self.pending_limit_seconds
        doublings = min(max(attempts - 1, 0), 10)
        return float(min(_AGAIN_SECONDS * 2**doublings, limit) * random.uniform(0.75, 1.0))
