"""The threads of a run that act until it stops."""

import threading
from abc import ABC, abstractmethod

from tests.chaos.history import History


class Worker(ABC):
    """Acts in a thread of its own until ``stopping`` is set.

    Args:
        name: for the thread and for violations.
        history: gets a violation if the work raises an exception, which would be lost otherwise.
        stopping: ends the work.
    """

    def __init__(self, name: str, history: History, stopping: threading.Event) -> None:
        self._name = name
        self._history = history
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the last piece of work; ``stopping`` must be set."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self._history.violate(f"{self._name} ended: {error!r}")

    @abstractmethod
    def _work(self) -> None:
        """Work until ``stopping`` is set."""
