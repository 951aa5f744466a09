"""The progress of a decision: which plugin is being called.

A decision is one synchronous step; the watchdog reads its progress from another thread.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class DecisionProgress:
    """Progress of the current decision, read by the watchdog's thread.

    Attributes:
        number: number of the decision, counted from 1.
        kind: ``filter``, ``strategy`` or ``weigher``.
        name: the plugin that is being called; empty between decisions.
    """

    number: int = 0
    kind: str = ""
    name: str = ""

    @property
    def asked(self) -> str:
        """Kind and name, such as ``filter rack``; empty between decisions."""
        return f"{self.kind} {self.name}" if self.name else ""
