"""Where a decision is: which plugin is being called, in which decision.

A decision is one synchronous step; the watchdog's thread reads its progress.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class DecisionProgress:
    """Progress of the current decision, read by the watchdog's thread.

    Attributes:
        number: of the decision, counted from 1.
        kind: ``filter`` or ``strategy``.
        name: of the plugin that is being called; empty between decisions.
    """

    number: int = 0
    kind: str = ""
    name: str = ""

    @property
    def asked(self) -> str:
        """``filter rack``; empty between decisions."""
        return f"{self.kind} {self.name}" if self.name else ""
