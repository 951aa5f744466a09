"""Intervals between requests to an engine.  Randomness is an argument.  Pure."""

from dataclasses import dataclass
from random import Random

#: First wait between attempts at a node that counts as healthy, so that failures add up quickly.
_AGAIN_SECONDS = 1.0
#: Maximum factor by which failures lengthen the refresh interval; from Swarm classic.
_SLOWEST = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an engine is asked, in seconds.

    Attributes:
        refresh_min_seconds, refresh_max_seconds: ``--engine-refresh-min-interval`` and ``-max-``.
        failure_limit: consecutive failures that make an engine unhealthy
            (``--engine-failure-retry``).
        probe_seconds: silence after which a healthy engine is pinged.
        ping_seconds: time limit of a ping.  Together with ``probe_seconds`` and ``failure_limit``
            it bounds how long a hung engine goes unnoticed.
        suspicious_seconds: interval of pings after a failure.
        pending_limit_seconds: longest wait between attempts at an engine never seen healthy.
        unhealthy_limit_seconds: longest wait between attempts at an engine that was healthy.
    """

    refresh_min_seconds: float = 30.0
    refresh_max_seconds: float = 60.0
    failure_limit: int = 3
    probe_seconds: float = 3.0
    ping_seconds: float = 3.0
    suspicious_seconds: float = 0.5
    pending_limit_seconds: float = 30.0
    unhealthy_limit_seconds: float = 5.0

    @property
    def silence(self) -> float:
        """Seconds of silence before a ping of the shared timer, which may add its interval."""
        return self.probe_seconds * 0.9

    @property
    def least_silence(self) -> float:
        """Seconds of silence below which an engine is not pinged."""
        return self.probe_seconds * 0.7

    def until_probe(self, random: Random) -> float:
        """Seconds of silence before a ping; randomised, so that engines are not pinged at once."""
        return self.probe_seconds * random.uniform(0.75, 1.0)

    def until_refresh(self, failures: int, random: Random) -> float:
        """Seconds until the lists are read again: Swarm classic's ``min*(1+b) + random``."""
        slower = min(max(failures - self.failure_limit, 0), _SLOWEST)
        spread = max(self.refresh_max_seconds - self.refresh_min_seconds, 0.0)
        return self.refresh_min_seconds * (1 + slower) + random.random() * spread

    def until_retry(self, attempts: int, *, known: bool, random: Random) -> float:
        """Seconds to wait before connecting again.

        Args:
            attempts: consecutive failed attempts, at least 1.
            known: whether the engine has been healthy before.
            random: source of randomness.
        """
        if known:
            attempts -= self.failure_limit - 1
        limit = self.unhealthy_limit_seconds if known else self.pending_limit_seconds
        doublings = min(max(attempts - 1, 0), 10)
        return float(min(_AGAIN_SECONDS * 2**doublings, limit) * random.uniform(0.75, 1.0))
