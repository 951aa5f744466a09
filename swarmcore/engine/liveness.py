"""Whether an engine that does not answer is dead, or only accepts no new connections.

An engine that shuts down, or whose new connections a firewall stops, still completes what it has
begun.  An engine that is frozen, or cut off, never sends anything again.
"""

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import Lifeline

#: The least silence, in seconds: the kernel probes the far end each second, and needs its answers.
_LEAST_SECONDS = 3.0


class SilenceDetector:
    """Counts the requests to one engine that were not answered.

    Args:
        lifeline: the engine's connections.
        limit: how many such requests in a row prove that it is dead.
    """

    def __init__(self, lifeline: Lifeline, limit: int) -> None:
        self._lifeline = lifeline
        self._limit = limit
        self._questions = 0
        self._since = 0.0

    def broken(self) -> bool:
        """Note an answer; returns whether the engine accepts new connections, too."""
        self._questions = 0
        if self._lifeline.takes_connections:
            self._lifeline.relax()
        return self._lifeline.takes_connections

    def failed(self, error: EngineError) -> None:
        """Note a failed request.

        Args:
            error: how; a refusal is no silence.
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
        """Whether the engine was silent on every connection for long enough."""
        seconds = trio.current_time() - self._since
        return self._questions >= self._limit and seconds >= _LEAST_SECONDS
