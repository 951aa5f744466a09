"""A log of the latest placement decisions, in memory."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from swarmcore import clock
from swarmcore.container_config import ContainerConfig
from swarmcore.errors import SwarmError
from swarmcore.protocols import Decision, DecisionCounts, DecisionRecord
from swarmcore.scheduler import count_refusals

_KEPT = 1000
#: Limits of one record's texts and lists, which clients choose; 10 MB for the whole log.
_LONGEST_TEXT = 200
_LONGEST_ERROR = 2000
_MOST_RULES = 20
_MOST_WORDS = 64


class DecisionLog:
    """Keeps the latest decisions.

    Args:
        limit: the maximum number of records.
    """

    def __init__(self, limit: int = _KEPT) -> None:
        self._records: deque[DecisionRecord] = deque(maxlen=limit)
        self._placed: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()

    def latest(self, limit: int) -> Sequence[DecisionRecord]:
        """At most *limit* records, newest first."""
        return list(islice(reversed(self._records), max(limit, 0)))

    def counts(self) -> DecisionCounts:
        """Counts of all decisions since the start, including those that are no longer kept."""
        return DecisionCounts(dict(self._placed), dict(self._refused), dict(self._rules))

    def add(self, config: ContainerConfig, cause: str, decision: Decision) -> DecisionRecord:
        """Log a decision on *config*; return the record."""
        cause = "move" if config.copies and cause == "create" else cause
        counts = Counter(count_refusals(decision.refusals))
        self._count(cause, counts, decision.error)
        record = replace(
            _record(config, cause, decision.error),
            node=decision.node.name if decision.error is None else "",
            asked=len(decision.candidates) + len(decision.refusals),
            fitting=len(decision.candidates),
            refused={_clip(text): many for text, many in counts.most_common(_MOST_RULES)},
            dropped=_clip_all(decision.dropped),
            about_image=_clip(decision.about_image),
        )
        self._records.append(record)
        return record

    def add_alternate(self, record: DecisionRecord, decision: Decision) -> DecisionRecord:
        """Log that a create moves to the next candidate of its decision.

        Args:
            record: the record of the last decision.
            decision: that decision without the candidates that failed.

        Returns:
            The new record.
        """
        self._count("alternate", {}, None)
        record = replace(
            record,
            time=clock.unix_seconds(),
            cause="alternate",
            node=decision.node.name,
            asked=record.asked - 1,
            fitting=record.fitting - 1,
            dropped=_clip_all(decision.dropped),
            about_image=_clip(decision.about_image),
            failure="",
        )
        self._records.append(record)
        return record

    def add_failure(self, config: ContainerConfig, cause: str, error: SwarmError) -> None:
        """Log that deciding on *config* raised *error*."""
        self._count(cause, {}, error)
        self._records.append(_record(config, cause, error))

    def note_failure(self, id: str, node_name: str, text: str) -> None:
        """Record that a placed container failed on its node.

        Args:
            id: the container's swarm id.
            node_name: the node.
            text: the reason.
        """
        for index in range(len(self._records) - 1, -1, -1):
            record = self._records[index]
            if record.id == id and record.node == node_name:
                self._records[index] = replace(record, failure=_clip(text, _LONGEST_ERROR))
                return

    def _count(self, cause: str, rules: Mapping[str, int], error: SwarmError | None) -> None:
        (self._placed if error is None else self._refused)[cause] += 1
        for text, nodes in rules.items():
            word = text.partition(" ")[0]
            # Plugins choose their rules' texts, and counters are never removed: limit them.
            known = word in self._rules or len(self._rules) < _MOST_WORDS
            self._rules[word if known else "other"] += nodes


def _record(config: ContainerConfig, cause: str, error: SwarmError | None) -> DecisionRecord:
    return DecisionRecord(
        time=clock.unix_seconds(),
        name=_clip(config.name),
        image=_clip(config.image),
        cause=cause,
        id=config.swarm_id,
        error=_clip(str(error or ""), _LONGEST_ERROR),
    )


def _clip_all(rules: Sequence[str]) -> list[str]:
    return [_clip(text) for text in rules[:_MOST_RULES]]


def _clip(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
