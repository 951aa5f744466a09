"""The results of a decision as sequences whose items are made when they are read.

A create reads the first few candidates of a thousand.  What the items are made from does not change
after the decision, except for the reasons of refusals; see ``Decision.refusals``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar, overload

from swarmcore.node import Node
from swarmcore.protocols import Candidate, Rule
from swarmcore.scheduler.kept import Entry, Said
from swarmcore.scheduler.roster import positions_of, spell

T = TypeVar("T")


class LazySequence(Sequence[T]):
    """A sequence that takes its items from an iterator when they are read.

    Args:
        items: the items.
        length: their number.
    """

    def __init__(self, items: Iterator[T], length: int) -> None:
        self._made: list[T] = []
        self._rest = items
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            self._make(max(start, stop) if step > 0 else self._length)
        else:
            self._make(index + 1 if index >= 0 else self._length)
        return self._made[index]

    def __iter__(self) -> Iterator[T]:
        position = 0
        while position < self._length:
            self._make(position + 1)
            yield self._made[position]
            position += 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        raise TypeError(f"unhashable type: {type(self).__name__!r}")

    def __repr__(self) -> str:
        return repr(list(self))

    def _make(self, count: int) -> None:
        missing = count - len(self._made)
        if missing > 0:
            self._made.extend(islice(self._rest, missing))


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates that break the same soft rules.

    Attributes:
        broken: see ``Candidate``.
        mask: the candidates.
    """

    broken: tuple[bool, ...]
    mask: int


def divide(passed: int, broken_by: Sequence[int]) -> list[Group]:
    """Divide candidates by the soft rules that they break; the fewest broken rules come first.

    Args:
        passed: the mask of the candidates.
        broken_by: for each soft rule, the mask of those that break it.
    """
    groups: list[tuple[list[bool], int]] = [([], passed)] if passed else []
    for breaking in broken_by:
        divided = []
        for broken, mask in groups:
            worse = mask & breaking
            if worse and worse != mask:
                divided.append(([*broken, True], worse))
                mask ^= worse
                worse = 0
            broken.append(worse != 0)
            divided.append((broken, mask))
        groups = divided
    made = [Group(tuple(broken), mask) for broken, mask in groups]
    return sorted(made, key=lambda group: (sum(group.broken), group.broken))


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in the order of a decision without weighers.

    Attributes:
        nodes: all nodes, by position.
        groups: the candidates by broken soft rules, best first.
        order: the strategy's order, best first, of at least the candidates.
    """

    nodes: Sequence[Node]
    groups: Sequence[Group]
    order: Sequence[Entry]

    def __iter__(self) -> Iterator[Candidate]:
        for group in self.groups:
            digits = spell(group.mask, len(self.nodes))
            left = group.mask.bit_count()
            for entry in self.order:
                if digits[entry.position] == "1":
                    yield Candidate(self.nodes[entry.position], group.broken, entry.weight)
                    left -= 1
                    if not left:
                        break

    def sequence(self) -> Sequence[Candidate]:
        """The candidates as a sequence."""
        return LazySequence(iter(self), sum(group.mask.bit_count() for group in self.groups))

    def first_among(self, mask: int) -> Candidate | None:
        """The best candidate of *mask*."""
        groups = [Group(group.broken, group.mask & mask) for group in self.groups]
        fewer = Ranking(self.nodes, [group for group in groups if group.mask], self.order)
        return next(iter(fewer), None)


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """The nodes that one rule was the first to refuse.

    Attributes:
        rule: the rule.
        mask: the nodes.
        said: what the rule said of them, and possibly of others.
    """

    rule: Rule
    mask: int
    said: Said

    def reason(self, position: int, node: Node) -> str:
        """The reason of the refusal of *node*; the rule is asked again if it was not kept."""
        reason = self.said.reasons.get(position)
        if reason is None:
            reason = _ask_again(self.rule, node) if self.said.worded >> position & 1 else ""
        return reason


def _ask_again(rule: Rule, node: Node) -> str:
    try:
        reason = rule.check(node)
    except Exception:  # the decision has been made; the plugin is reported at the next check
        return ""
    return reason if isinstance(reason, str) else ""


class Refusals(LazySequence[tuple[Node, Rule, str]]):
    """The refused nodes in their order, each with the rule that refused it and the reason.

    Args:
        nodes: all nodes, by position.
        parts: the refused nodes by rule.
    """

    def __init__(self, nodes: Sequence[Node], parts: Sequence[RefusedBy]) -> None:
        super().__init__(_refusals(nodes, parts), sum(part.mask.bit_count() for part in parts))
        self._parts = parts

    def counts(self) -> dict[str, int]:
        """Text of a rule -> number of nodes that it refused, in the order of the first nodes."""
        counts: dict[str, int] = {}
        for part in sorted(self._parts, key=lambda part: part.mask & -part.mask):
            counts[part.rule.text] = counts.get(part.rule.text, 0) + part.mask.bit_count()
        return counts


def count_refusals(refusals: Sequence[tuple[Node, Rule, str]]) -> Mapping[str, int]:
    """Text of a rule -> number of nodes that it refused; finds no reasons."""
    if isinstance(refusals, Refusals):
        return refusals.counts()
    return Counter(rule.text for _, rule, _ in refusals)


def _refusals(
    nodes: Sequence[Node], parts: Sequence[RefusedBy]
) -> Iterator[tuple[Node, Rule, str]]:
    refused = ((position, part) for part in parts for position in positions_of(part.mask))
    for position, part in sorted(refused, key=lambda pair: pair[0]):
        node = nodes[position]
        yield node, part.rule, part.reason(position, node)
