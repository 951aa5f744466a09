"""Calls under way, which can be cancelled together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio


class CallsUnderWay:
    """The unfinished calls of one client."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()

    def end(self) -> None:
        """Cancel all of them; later calls are not affected."""
        for scope in self._scopes:
            scope.cancel()

    @contextmanager
    def until_ended(self, error: Callable[[], Exception]) -> Iterator[None]:
        """Run the block as one of the calls.

        Args:
            error: makes the exception that is raised if ``end`` is called meanwhile.
        """
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
        if scope.cancelled_caught:
            raise error()
