"""Decides whether an engine that does not answer is dead or only accepts no new connections.

An engine that is shutting down, or whose new connections are blocked by a firewall, still completes
open requests.  A frozen or disconnected engine sends nothing more.
"""

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import Lifeline

#: Shortest silence that counts, in seconds; the kernel's keep-alive probes take one second each.
_LEAST_SECONDS = 3.0


class SilenceDetector:
    """Counts consecutive requests to one engine that were not answered.

    Args:
        lifeline: monitors the engine's connections.
        limit: how many unanswered requests in a row prove that the engine is dead.
    """

    def __init__(self, lifeline: Lifeline, limit: int) -> None:
        self._lifeline = lifeline
        self._limit = limit
        self._questions = 0
        self._since = 0.0

    def broken(self) -> bool:
        """Record an answer; return whether the engine also accepts new connections."""
        self._questions = 0
        if self._lifeline.takes_connections:
            self._lifeline.relax()
        return self._lifeline.takes_connections

    def failed(self, error: EngineError) -> None:
        """Record a failed request.

        Args:
            error: the failure; only errors with ``silent`` count.
        """
        self._lifeline.hurry()
        if not (isinstance(error, EngineUnreachable) and error.silent):
            return
        if self._questions and self._lifeline.has_sign_since(self._since):
            self._questions = 0
        if not self._questions:
            self._since = trio.current_time()
        self._questions += 1

    @property
    def proves_death(self) -> bool:
        """Whether the engine has been silent on every connection for long enough."""
        seconds = trio.current_time() - self._since
        return self._questions >= self._limit and seconds >= _LEAST_SECONDS
