"""Random choices and ids: the only module that makes random numbers.

They come from the operating system, so that nobody can guess a token.  A simulation replaces the
source by one with a seed.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random, SystemRandom

_source: Random = SystemRandom()
#: What the serial ids of this process begin with, and their numbers.
_process = SystemRandom().randbytes(4).hex()
_numbers = itertools.count(1)


def source() -> Random:
    """The source of random numbers for choices, pauses and names."""
    return _source


def token_hex(size: int) -> str:
    """A new id or token that nobody can guess.

    Args:
        size: its bytes, each of which is two hex digits.
    """
    return _source.randbytes(size).hex()


def serial_id() -> str:
    """A new id that no other process gives.

    It costs a tenth of a random one (0.2 µs), and others can guess it.
    """
    return f"{_process}{next(_numbers):08x}"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Repeat the same random numbers in each block with the same *seed*; for simulations."""
    global _source, _process, _numbers
    before = _source, _process, _numbers
    _source, _process, _numbers = Random(seed), f"{seed:08x}", itertools.count(1)
    try:
        yield
    finally:
        _source, _process, _numbers = before
