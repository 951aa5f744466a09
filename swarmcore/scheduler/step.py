"""What one who watches a decision from outside can see of it: who is being asked, in which one.

A decision is one synchronous step: while a plugin does not return, nothing else happens at all.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """Where a scheduler is.

    Attributes:
        number: of the decision, counted from 1.
        kind: ``filter`` or ``strategy``.
        name: the one that is being asked; empty between decisions.
    """

    number: int = 0
    kind: str = ""
    name: str = ""

    @property
    def asked(self) -> str:
        """``filter rack``; empty between decisions."""
        return f"{self.kind} {self.name}" if self.name else ""
