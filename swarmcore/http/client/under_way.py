"""Calls under way, which can be ended all at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio


class CallsUnderWay:
    """The calls of one client that have not ended yet."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()

    def end(self) -> None:
        """Cancel all of them; calls that begin later are not concerned."""
        for scope in self._scopes:
            scope.cancel()

    @contextmanager
    def until_ended(self, error: Callable[[], Exception]) -> Iterator[None]:
        """Run the block as one of the calls.

        Args:
            error: makes what is raised where ``end`` was called meanwhile.
        """
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
        if scope.cancelled_caught:
            raise error()
