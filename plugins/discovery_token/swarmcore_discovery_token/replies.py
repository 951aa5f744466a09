"""What a hub answered, and how much of it is taken."""

from collections.abc import Mapping
from dataclasses import dataclass

_LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """What a hub answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def add_chunk(content: bytearray, chunk: bytes) -> None:
    """Add a part of a body.

    Raises:
        ValueError: it is longer than any list of engines.
    """
    content += chunk
    if len(content) > _LARGEST_BYTES:
        raise ValueError(f"an answer of more than {_LARGEST_BYTES} bytes")
