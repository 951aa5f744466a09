"""The last decisions: where containers went, which were refused, and why."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice

from swarmcore.config import ContainerConfig
from swarmcore.errors import SwarmError
from swarmcore.protocols import Decision, DecisionRecord

#: About 1 MB in the worst case: a refusal by some thousand nodes is one count for each rule.
_KEPT = 1000


class DecisionLog:
    """Keeps the last decisions, and forgets older ones.

    Args:
        limit: how many.
    """

    def __init__(self, limit: int = _KEPT) -> None:
        self._records: deque[DecisionRecord] = deque(maxlen=limit)

    def latest(self, limit: int) -> Sequence[DecisionRecord]:
        """At most *limit* records, the newest first."""
        return list(islice(reversed(self._records), max(limit, 0)))

    def add(self, config: ContainerConfig, cause: str, decision: Decision) -> None:
        """Note where *config* goes, or that it goes nowhere."""
        counts = Counter(rule.text for _, rule, _ in decision.refusals)
        self._records.append(
            DecisionRecord(
                time=time.time(),
                name=config.name,
                image=config.image,
                cause=cause,
                node=decision.node.name if decision.error is None else "",
                asked=len(decision.candidates) + len(decision.refusals),
                fitting=len(decision.candidates),
                refused=dict(counts.most_common()),
                dropped=tuple(decision.dropped),
                error=str(decision.error or ""),
            )
        )

    def add_failure(self, config: ContainerConfig, cause: str, error: SwarmError) -> None:
        """Note that nothing could be decided on *config*."""
        self._records.append(
            DecisionRecord(time.time(), config.name, config.image, cause, error=str(error))
        )
