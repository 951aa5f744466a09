"""Whether an engine that cannot be asked is dead, or only takes no new connections.

One that shuts down, or whose new connections a firewall stops, still ends well what it has begun.
One that is frozen, or cut off, never says anything again.
"""

import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import Lifeline

#: The least time of silence: the kernel asks the far end every second, and is to have its answers.
_LEAST_SECONDS = 3.0


class SilenceDetector:
    """Counts the questions to one engine on which nothing came back.

    Args:
        lifeline: the engine's connections.
        limit: how many such questions in a row prove that it is dead.
    """

    def __init__(self, lifeline: Lifeline, limit: int) -> None:
        self._lifeline = lifeline
        self._limit = limit
        self._questions = 0
        self._since = 0.0

    def broken(self) -> bool:
        """The engine answered a question; whether it takes new connections, too."""
        self._questions = 0
        if self._lifeline.takes_connections:
            self._lifeline.relax()
        return self._lifeline.takes_connections

    def failed(self, error: EngineError) -> None:
        """A question failed.

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
