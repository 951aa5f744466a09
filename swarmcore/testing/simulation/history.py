"""What happened in one simulation: who asked what of whom, when, with the faults between."""

import hashlib
from dataclasses import dataclass, field


class Violation(Exception):
    """An invariant does not hold.

    Args:
        invariant: its name.
        text: what was seen.
    """

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


@dataclass(slots=True)
class History:
    """Lines in order of time, and a digest of every message.

    Attributes:
        lines: each is a time in seconds and a text.
        violation: the first invariant that did not hold.
    """

    lines: list[tuple[float, str]] = field(default_factory=list)
    violation: Violation | None = None
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def note(self, now: float, text: str) -> None:
        """Add a line."""
        self.lines.append((now, text))

    def note_message(self, now: float, sender: str, receiver: str, data: bytes) -> None:
        """Add a message to the digest."""
        self._digest.update(f"{now:.9f} {sender} {receiver} ".encode() + data)

    def violated(self, invariant: str, text: str) -> None:
        """Note that an invariant does not hold; the first one counts."""
        if self.violation is None:
            self.violation = Violation(invariant, text)

    @property
    def digest(self) -> str:
        """A digest of all messages so far."""
        return self._digest.hexdigest()

    def __str__(self) -> str:
        """The lines, and the digest: equal for equal runs."""
        lines = [f"{now:9.3f}  {text}" for now, text in self.lines]
        return "\n".join([*lines, f"messages {self.digest}"])
