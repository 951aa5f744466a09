"""Calls under way, which can be cancelled together."""

from collections.abc import Callable
from types import TracebackType

import trio


class CallsUnderWay:
    """The unfinished calls of one client."""

    def __init__(self) -> None:
        self._blocks: set[UntilEnded] = set()

    def end(self) -> None:
        """Cancel all of them; later calls are not affected."""
        for block in self._blocks:
            block.end()

    def until_ended(self, error: Callable[[], Exception]) -> "UntilEnded":
        """Run a block as one of the calls.

        Args:
            error: makes the exception that is raised if ``end`` is called meanwhile.
        """
        return UntilEnded(self._blocks, error)


class UntilEnded:
    """The block of one call; a class, as each request to an engine is in one.

    Args:
        blocks: has this block as long as it lasts.
        error: see ``CallsUnderWay.until_ended``.
    """

    __slots__ = ("_blocks", "_error", "_is_ended", "_scope")

    def __init__(self, blocks: "set[UntilEnded]", error: Callable[[], Exception]) -> None:
        self._blocks = blocks
        self._error = error
        self._scope = trio.CancelScope()
        self._is_ended = False

    def end(self) -> None:
        """Cancel the block, which raises its error."""
        self._is_ended = True
        self._scope.cancel()

    def limit(self, seconds: float) -> None:
        """Leave the block after *seconds* from now on; without an error, unless it is ended."""
        self._scope.deadline = trio.current_time() + seconds

    def __enter__(self) -> "UntilEnded":
        self._scope.__enter__()
        self._blocks.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._blocks.discard(self)
        is_caught = self._scope.__exit__(kind, error, traceback)
        if self._is_ended and self._scope.cancelled_caught:
            raise self._error() from None
        return is_caught
