"""A log of the latest moves, in memory."""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from swarmcore import clock
from swarmcore.errors import SwarmError
from swarmcore.model import Container
from swarmcore.protocols import MoveRecord, MoveState, Placed

_KEPT = 1000


class MoveLog:
    """Keeps the latest move of each container.

    Args:
        limit: the maximum number of records.
    """

    def __init__(self, limit: int = _KEPT) -> None:
        self._limit = limit
        #: Id of an original -> its record, the latest at the end.
        self._records: OrderedDict[str, MoveRecord] = OrderedDict()
        self._ended: Counter[MoveState] = Counter()
        #: Ids of the records that do not say ``moved``; ``docker info`` asks for them often.
        self._open: set[str] = set()

    def counts(self) -> Mapping[MoveState, int]:
        """The number of attempts by their outcome."""
        return dict(self._ended)

    def latest(self) -> Sequence[MoveRecord]:
        """All records, newest first."""
        return list(reversed(self._records.values()))

    def not_moved(self) -> Sequence[MoveRecord]:
        """The records of moves that are under way or have failed, newest first."""
        if not self._open:
            return ()
        return [each for each in self.latest() if each.id in self._open]

    @contextmanager
    def recording(self, original: Container, source: str) -> Iterator["MoveOutcome"]:
        """Record one attempt at moving *original*; an exception of the block is its failure.

        Args:
            original: the container.
            source: name of its node.
        """
        before = self._records.get(original.id)
        if before is not None and before.state == "moving":  # another attempt is under way
            yield MoveOutcome()
            return
        attempts = before.attempts + 1 if before is not None else 1
        record = MoveRecord(
            original.id, original.called, source, original.node_id, attempts=attempts
        )
        self._put(record)
        outcome = MoveOutcome()
        try:
            yield outcome
        except SwarmError as error:
            self._put(replace(record, state="failed", error=str(error)))
            raise
        except BaseException:
            self._put(replace(record, state="failed", error="the move was interrupted"))
            raise
        self._put(outcome.describe(record))

    def _put(self, record: MoveRecord) -> None:
        if record.state != "moving":
            self._ended[record.state] += 1
        if record.state == "moved":
            self._open.discard(record.id)
        else:
            self._open.add(record.id)
        self._records[record.id] = replace(record, time=clock.unix_seconds())
        self._records.move_to_end(record.id)
        surplus = max(len(self._records) - self._limit, 0)
        for id in list(islice(self._records, surplus)):
            del self._records[id]
            self._open.discard(id)


class MoveOutcome:
    """The outcome of one attempt that raised no exception."""

    def __init__(self) -> None:
        self._placed: Placed | None = None

    def ended(self, placed: Placed) -> None:
        """Note the answer to the create of the copy."""
        self._placed = placed

    def describe(self, record: MoveRecord) -> MoveRecord:
        """*record* with the outcome."""
        if self._placed is None:
            return record
        answer, node = self._placed.answer, self._placed.node
        if answer.status != 201:
            return replace(record, state="failed", target=node.name, error=answer.message)
        copy_id = str(answer.json()["Id"])
        return replace(record, state="moved", target=node.name, copy_id=copy_id)
