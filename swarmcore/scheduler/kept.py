"""What is kept from one decision to the next: verdicts of rules, and the strategy's order of nodes.

Both are kept by the key that a filter or a strategy gives.  What is kept for a node is valid until
an aspect that the rule or the strategy reads changes; only these nodes are visited again.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from itertools import islice, pairwise
from typing import Final, Generic, NamedTuple, TypeVar

from swarmcore.node import Aspect, Node
from swarmcore.protocols import Rule
from swarmcore.scheduler.roster import Roster, positions_of

#: How many rules' verdicts are kept: two masks each, 2.5 KB for 10,000 nodes.
_MOST_VERDICTS: Final = 512
#: The verdicts for larger keys are not kept, as clients choose what is in a key.  Just above the
#: longest expression.
_LARGEST_KEY: Final = 5000
#: How many weights are kept for all claims together, at about 300 bytes each.
_MOST_WEIGHTS: Final = 64_000
_FEWEST_ORDERS: Final = 4
#: Up to so many nodes are moved in an order one by one; for more, all are passed over once.
_FEW: Final = 16

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values that were used last, by key.

    Args:
        limit: the maximum number of values.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of *key*; made if there is none.  Drops the value that was unused longest."""
        value = self._values.pop(key, None)
        if value is None:
            value = make()
            if len(self._values) >= self._limit:
                del self._values[next(iter(self._values))]
        self._values[key] = value
        return value

    def drop(self, key: K) -> None:
        """Forget the value of *key*."""
        self._values.pop(key, None)


class Entry(NamedTuple):
    """One node in the strategy's order; entries compare as candidates do, the best is smallest.

    Attributes:
        falling: the negated weight.
        name: the node's name.
        position: the node's position in the roster.
        weight: as the strategy gave it.
    """

    falling: tuple[float, ...]
    name: str
    position: int
    weight: tuple[float, ...]


class UnevenWeights(Exception):
    """The strategy's weights of two nodes have different lengths.

    Args:
        first, other: the entries of the nodes.
    """

    def __init__(self, first: Entry, other: Entry) -> None:
        super().__init__(first, other)
        self.first = first
        self.other = other


class Said(NamedTuple):
    """What one rule said of some nodes.

    Attributes:
        refused: the mask of the nodes that it refuses.
        worded: the mask of the nodes for which it gives a reason; the reason of others is empty.
        reasons: position -> reason, for nodes that were checked just now.
    """

    refused: int
    worded: int
    reasons: Mapping[int, str]


class Kept:
    """What is kept about the nodes of one roster.

    Args:
        nodes: the nodes.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.roster = Roster(nodes)
        self._verdicts: Recent[tuple[str, Hashable], _Verdicts] = Recent(_MOST_VERDICTS)
        most = max(_MOST_WEIGHTS // max(len(self.roster.nodes), 1), _FEWEST_ORDERS)
        self._orders: Recent[Hashable, _Order] = Recent(most)

    def ask(self, owner: str, rule: Rule, among: int, check: Callable[[Node], str | None]) -> Said:
        """Find the nodes that *rule* refuses.

        Args:
            owner: the name of the filter that made the rule.
            rule: the rule; without a key, all of *among* are checked.
            among: the mask of the nodes that matter; no other node is checked.
            check: checks one node.

        Raises:
            SwarmError: raised by *check*.
        """
        return self._verdicts_of(owner, rule).ask(self.roster, rule.reads, among, check)

    def unknown(self, owner: str, rule: Rule, among: int) -> int:
        """The mask of the nodes that ``ask`` would check; arguments as there."""
        verdicts = self._verdicts_of(owner, rule)
        verdicts.forget_changed(self.roster, rule.reads)
        return among & ~verdicts.known

    def _verdicts_of(self, owner: str, rule: Rule) -> "_Verdicts":
        key = (owner, rule.key)
        if rule.key is None or (key not in self._verdicts and _size(rule.key) > _LARGEST_KEY):
            return _Verdicts()
        return self._verdicts.get(key, _Verdicts)

    def order(
        self,
        key: Hashable | None,
        reads: Collection[Aspect],
        among: int,
        weigh: Callable[[Node], tuple[float, ...]],
    ) -> Sequence[Entry]:
        """The strategy's order of nodes, best first; at least those of *among*.

        Args:
            key: the strategy's key; ``None``: nothing is kept.
            reads: what the weights depend on.
            among: the mask of the nodes that matter; no other node is weighed.
            weigh: weighs one node.

        Raises:
            SwarmError: raised by *weigh*.
            UnevenWeights: the weights are not all of one length; all are forgotten.
        """
        order = _Order() if key is None else self._orders.get(key, _Order)
        try:
            return order.entries(self.roster, reads, among, weigh)
        except UnevenWeights:
            self._orders.drop(key)
            raise


def _size(key: object) -> int:
    """The number of characters in a key, and of its other items."""
    if isinstance(key, str):
        return len(key)
    return sum(map(_size, key)) if isinstance(key, tuple) else 1


class _Verdicts:
    """The verdicts of one rule.

    Attributes:
        known: the mask of the nodes that have been checked and have not changed since.
    """

    __slots__ = ("_refused", "_since", "_worded", "known")

    def __init__(self) -> None:
        self.known = 0
        self._refused = 0
        self._worded = 0
        self._since = 0

    def forget_changed(self, roster: Roster, reads: Collection[Aspect]) -> None:
        """Forget the verdicts for nodes that have changed."""
        if changed := roster.changed_since(self._since, reads):
            self.known &= ~roster.mask(changed)
        self._since = roster.log.number

    def ask(
        self,
        roster: Roster,
        reads: Collection[Aspect],
        among: int,
        check: Callable[[Node], str | None],
    ) -> Said:
        """See ``Kept.ask``."""
        self.forget_changed(roster, reads)
        unknown = among & ~self.known
        reasons: dict[int, str] = {}
        if unknown:
            for position in positions_of(unknown):
                reason = check(roster.nodes[position])
                if reason is not None:
                    reasons[position] = reason
            worded = [position for position, reason in reasons.items() if reason]
            self._refused = self._refused & ~unknown | roster.mask(reasons)
            self._worded = self._worded & ~unknown | roster.mask(worded)
            self.known |= unknown
        return Said(among & self._refused, self._worded, reasons)


class _Order:
    """The strategy's order of nodes for one key.

    The list of entries is replaced, never changed, as lazy sequences of candidates read it.
    """

    __slots__ = ("_by_position", "_entries", "_known", "_since")

    def __init__(self) -> None:
        self._known = 0
        self._since = 0
        self._entries: list[Entry] = []
        self._by_position: dict[int, Entry] = {}

    def entries(
        self,
        roster: Roster,
        reads: Collection[Aspect],
        among: int,
        weigh: Callable[[Node], tuple[float, ...]],
    ) -> Sequence[Entry]:
        """See ``Kept.order``."""
        changed = set(roster.changed_since(self._since, reads))
        known = self._known & ~roster.mask(changed)
        unknown = among & ~known
        made = [_entry(roster, position, weigh) for position in positions_of(unknown)]
        gone = [entry for each in changed if (entry := self._by_position.get(each))]
        if made or gone:
            self._replace(gone, made)
        self._since, self._known = roster.log.number, known | unknown
        return self._entries

    def _replace(self, gone: Sequence[Entry], made: Sequence[Entry]) -> None:
        by_position = self._by_position
        for entry in gone:
            del by_position[entry.position]
        _check_lengths([*islice(by_position.values(), 1), *made])
        if len(gone) + len(made) > _FEW:
            left = [entry for entry in self._entries if entry.position in by_position]
            self._entries = sorted([*left, *made])
        else:
            self._entries = self._entries.copy()
            for entry in gone:
                del self._entries[bisect_left(self._entries, entry)]
            for entry in made:
                insort(self._entries, entry)
        by_position.update((entry.position, entry) for entry in made)


def _entry(roster: Roster, position: int, weigh: Callable[[Node], tuple[float, ...]]) -> Entry:
    node = roster.nodes[position]
    weight = weigh(node)
    return Entry(tuple(-number for number in weight), node.name, position, weight)


def _check_lengths(entries: Sequence[Entry]) -> None:
    for first, other in pairwise(entries):
        if len(first.weight) != len(other.weight):
            raise UnevenWeights(first, other)
