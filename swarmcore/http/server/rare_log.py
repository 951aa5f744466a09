"""A log for warnings that clients, or a lasting fault, can cause at any rate."""

import logging

import trio

#: Shortest time between two messages of a ``RareLog``.
_QUIET_SECONDS = 60.0


class RareLog:
    """Logs warnings that clients can cause as often as they like, at most once a minute.

    Args:
        log: where to log.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._next = -float("inf")
        self._left_out = 0

    def warning(self, message: str, *arguments: object) -> None:
        """Log *message*, with the number of messages that were left out before it."""
        now = trio.current_time()
        if now < self._next:
            self._left_out += 1
            return
        if self._left_out:
            message, arguments = f"{message} (%d more in between)", (*arguments, self._left_out)
        self._next, self._left_out = now + _QUIET_SECONDS, 0
        self._log.warning(message, *arguments)
