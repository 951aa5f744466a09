"""Calls under way, which can be cancelled together."""

from collections.abc import Callable
from types import TracebackType

import trio


class CallsUnderWay:
    """The unfinished calls of one client."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()

    def end(self) -> None:
        """Cancel all of them; later calls are not affected."""
        for scope in self._scopes:
            scope.cancel()

    def until_ended(self, error: Callable[[], Exception]) -> "UntilEnded":
        """Run a block as one of the calls.

        Args:
            error: makes the exception that is raised if ``end`` is called meanwhile.
        """
        return UntilEnded(self._scopes, error)


class UntilEnded:
    """The block of one call; a class, as each request to an engine is in one.

    Args:
        scopes: has the block's scope as long as it lasts.
        error: see ``CallsUnderWay.until_ended``.
    """

    __slots__ = ("_error", "_scope", "_scopes")

    def __init__(self, scopes: set[trio.CancelScope], error: Callable[[], Exception]) -> None:
        self._scopes = scopes
        self._error = error
        self._scope = trio.CancelScope()

    def __enter__(self) -> None:
        self._scope.__enter__()
        self._scopes.add(self._scope)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._scopes.discard(self._scope)
        self._scope.__exit__(kind, error, traceback)
        if self._scope.cancelled_caught:
            raise self._error() from None
