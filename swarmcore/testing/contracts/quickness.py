"""Limits of time that hold for a plugin, whatever else its machine has to do."""

from collections.abc import Awaitable, Callable, Sequence

_ATTEMPTS = 5


async def assert_quick(measure: Callable[[], Awaitable[Sequence[float]]], *limits: float) -> None:
    """Measure until all is within its limit at once; a few times, after which it is too slow.

    A busy machine makes anything slow now and then; what is slow each time is so by itself.

    Args:
        measure: does it once more; returns how long each part of it took, in seconds.
        limits: for each part, in seconds.
    """
    taken: list[Sequence[float]] = []
    for _ in range(_ATTEMPTS):
        taken.append(await measure())
        if all(seconds < limit for seconds, limit in zip(taken[-1], limits, strict=True)):
            return
    raise AssertionError(f"never within {limits} s: {taken}")
