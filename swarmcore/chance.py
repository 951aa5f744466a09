"""Random choices and ids: the only module that makes random numbers.

They come from the operating system, so that nobody can guess a token.  A simulation replaces the
source by one with a seed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random, SystemRandom

_source: Random = SystemRandom()


def source() -> Random:
    """The source of random numbers for choices, pauses and names."""
    return _source


def token_hex(size: int) -> str:
    """A new id or token that nobody can guess.

    Args:
        size: its bytes, each of which is two hex digits.
    """
    return _source.randbytes(size).hex()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Repeat the same random numbers in each block with the same *seed*; for simulations."""
    global _source
    before, _source = _source, Random(seed)
    try:
        yield
    finally:
        _source = before
