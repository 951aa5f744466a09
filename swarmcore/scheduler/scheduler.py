"""The placement decision: hard rules, soft rules, then weights, in one synchronous, pure step.

Hard rules refuse nodes.  If not all soft rules can be met, as few as possible are dropped, the last
first.  (Swarm classic drops all or none.)  The strategy ranks the candidates.  Filters and
strategies are plugins: their results are checked, and their exceptions are reported with the
plugin's name.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import BadRequest, NoNodeFits, SwarmError
from swarmcore.node import Node, image_test
from swarmcore.protocols import (
    Candidate,
    Decision,
    Filter,
    Rule,
    Strategy,
    Verdict,
    Weigher,
)
from swarmcore.scheduler.builtin_rules import DRAINED, device_rules, need_rules, room_rules
from swarmcore.scheduler.image_locality import settle_image
from swarmcore.scheduler.progress import DecisionProgress
from swarmcore.scheduler.ranking import (
    FAILED_PULLS,
    FEWEST_MOVES,
    FailureHistory,
    count_failed_pulls,
    rank,
)
from swarmcore.scheduler.refusals import NO_ENGINE, refuse, word_classic

#: Upper limit of a decision with all verdicts: 250 rules for 1,000 nodes.
_MOST_VERDICTS = 250_000


class PlacementFailed(SwarmError):
    """A filter, strategy or weigher raised an exception or returned an invalid value."""


class Scheduler:
    """Decides with one strategy and a chain of filters.

    Args:
        strategy: ranks the candidates.
        filters: provide the rules, in this order; the first rule that refuses a node is reported.
        weighers: rank the candidates in addition to the strategy.
        failures: recent failures of creates, for weighers.
        classic: whether refusals begin with Swarm classic's sentence.
        carry: the lead over the best node with the image above which the image is copied; ``None``:
            the location of images does not matter.
    """

    def __init__(
        self,
        strategy: Strategy,
        filters: Iterable[Filter],
        weighers: Iterable[Weigher] = (),
        failures: FailureHistory | None = None,
        *,
        classic: bool = False,
        carry: float | None = None,
    ) -> None:
        self._strategy = strategy
        self._filters = tuple(filters)
        self._weighers = tuple(map(self._checked, weighers))
        self._failures = failures
        self._classic = classic
        #: The families of expressions that the filters read.
        self._read = {
            word for each in self._filters for word in getattr(each, "reads", (each.name,))
        }
        self._carry = carry
        #: Progress of the current decision, for the watchdog.
        self.progress = DecisionProgress()

    @property
    def strategy_name(self) -> str:
        """The strategy's name for ``--strategy``."""
        return self._strategy.name

    @property
    def filter_names(self) -> Sequence[str]:
        """The filters' names for ``--filter``, in the order of the chain."""
        return [each.name for each in self._filters]

    def note_failure(self, node: Node) -> None:
        """Record that a create failed on *node* because of the node; used by weighers."""
        if self._failures is not None:
            self._failures.note(node.id)

    def decide(
        self, config: ContainerConfig, nodes: Iterable[Node], *, whole: bool = False
    ) -> Decision:
        """Choose a node, or refuse, with the reasons.

        Args:
            config: the container's configuration.
            nodes: the nodes to choose from.
            whole: whether to check every rule for every node, instead of stopping at the first
                refusal of a node.

        Returns:
            The decision with its candidates, best first.  If there are none, its ``error`` is a
            ``NoNodeFits`` with the counts and reasons of the refusals, or a ``NeverFits`` if no
            node could ever take the container.

        Raises:
            BadRequest: an expression is malformed, or *whole* would produce too many verdicts.
            PlacementFailed: a plugin failed; the message names it.
        """
        asked = list(nodes)
        if not asked:
            return Decision((), (), (), NoNodeFits(NO_ENGINE), weighers=self._weighers)
        with self._deciding(config, asked):
            return self._decide(config, asked, whole=whole)

    def narrow(
        self, decision: Decision, config: ContainerConfig, nodes: Sequence[Node]
    ) -> Decision | None:
        """Limit an earlier decision to fewer candidates, without ranking them again.

        Args:
            decision: a decision that is still up to date.
            config: the container's configuration.
            nodes: the nodes to choose from.

        Returns:
            The decision; ``None`` if a new one must be made: no candidate is left, the best one
            would be refused now, or it lacks an image that another node might have.

        Raises:
            SwarmError: see ``decide``.
        """
        ids = {node.id for node in nodes}
        candidates = [each for each in decision.candidates if each.node.id in ids]
        if not candidates:
            return None
        best = candidates[0]
        if self._carry is not None and not image_test(config.image)(best.node):
            return None  # a node that has the image may be better and is not considered here
        if not self.admits(config, best.node):
            return None
        dropped = _dropped(decision.soft, best)
        return replace(decision, candidates=candidates, dropped=dropped, about_image="")

    def admits(self, config: ContainerConfig, node: Node) -> bool:
        """Whether *node* passes all hard rules for *config*.

        Raises:
            SwarmError: see ``decide``.
        """
        with self._deciding(config, [node]):
            hard = [(name, rule) for name, rule in self._compile(config) if not rule.soft]
            return self._first_refusal(hard, node) is None

    def refuse(
        self,
        config: ContainerConfig,
        nodes: Sequence[Node],
        refusals: Sequence[tuple[Node, Rule, str]],
    ) -> NoNodeFits:
        """Build the error for a refusal that was collected from several decisions.

        No rule is checked again.

        Args:
            config: the container's configuration.
            nodes: all nodes considered in any of the decisions.
            refusals: for each node the refusal in its last decision; see ``Decision``.

        Raises:
            SwarmError: see ``decide``.
        """
        if not nodes:
            return NoNodeFits(NO_ENGINE)
        with self._deciding(config, nodes):
            return self._refuse(config, nodes, self._compile(config), refusals)

    @contextmanager
    def _deciding(self, config: ContainerConfig, nodes: Sequence[Node]) -> Iterator[None]:
        """Count one decision for the watchdog; leave out the containers that *config* replaces."""
        self.progress.number += 1
        try:
            with ExitStack() as stack:
                for node in nodes:
                    if not config.replaces.isdisjoint(node.containers):
                        stack.enter_context(node.without(config.replaces))
                yield
        finally:
            self.progress.name = ""

    def rehearse(self, config: ContainerConfig, nodes: Iterable[Node]) -> Iterator[None]:
        """Check every rule for every node, yielding after each check.

        The nodes cache the results of slow pattern matches, so a decision made soon after is fast.

        Raises:
            SwarmError: see ``decide``, which raises the same error.
        """
        rules = self._compile(config)
        for node in nodes:
            for name, rule in rules:
                self.progress.number += 1
                self._check(name, rule, node)
                self.progress.name = ""
                yield

    def _decide(self, config: ContainerConfig, asked: Sequence[Node], *, whole: bool) -> Decision:
        rules = self._compile(config)
        if whole and len(rules) * len(asked) > _MOST_VERDICTS:
            raise BadRequest(
                f"{len(rules)} rules for {len(asked)} nodes are too much to explain: ask with fewer"
                " constraints"
            )
        hard = [(name, rule) for name, rule in rules if not rule.soft]
        soft = [(name, rule) for name, rule in rules if rule.soft]
        refusals: list[tuple[Node, Rule, str]] = []
        candidates = []
        for node in asked:
            refusal = self._first_refusal(hard, node)
            if refusal is None:
                broken = tuple(self._check(name, rule, node) is not None for name, rule in soft)
                candidates.append(Candidate(node, broken, self._weigh(config, node)))
            else:
                refusals.append((node, *refusal))
        self._check_lengths(candidates)
        weighers = self._weighers_for(config, candidates)
        candidates = rank(config, candidates, asked, weighers)
        verdicts = {node.id: self._verdicts(rules, node) for node in asked} if whole else {}
        if not candidates:
            error = self._refuse(config, asked, rules, refusals)
            return Decision((), (), refusals, error, verdicts, weighers)
        texts = [rule.text for _, rule in soft]
        dropped = _dropped(texts, candidates[0])
        decision = Decision(candidates, dropped, refusals, None, verdicts, weighers, soft=texts)
        return self._with_image(config, decision, asked)

    def _with_image(
        self, config: ContainerConfig, decision: Decision, asked: Sequence[Node]
    ) -> Decision:
        """Apply ``settle_image`` to *decision*, unless the location of images does not matter."""
        if self._carry is None:
            return decision
        return settle_image(config.image, decision, asked, self._carry)

    def _refuse(
        self,
        config: ContainerConfig,
        nodes: Sequence[Node],
        rules: Sequence[tuple[str, Rule]],
        refusals: Sequence[tuple[Node, Rule, str]],
    ) -> NoNodeFits:
        self._ask("filter", ", ".join(self.filter_names))
        sentence = self._classic_sentence(config, rules, refusals) if self._classic else ""
        return refuse(nodes, [rule for _, rule in rules if not rule.soft], refusals, sentence)

    def _weighers_for(
        self, config: ContainerConfig, candidates: Sequence[Candidate]
    ) -> tuple[Weigher, ...]:
        """The operator's weighers, preceded by the built-in ones that apply."""
        first: list[Weigher] = []
        if any(count_failed_pulls(each.node, config.image) for each in candidates):
            first.append(FAILED_PULLS)
        if config.loose:
            first.append(FEWEST_MOVES)
        return (*first, *self._weighers)

    def _checked(self, weigher: Weigher) -> Weigher:
        """Wrap *weigher* so that its calls are observed and its values checked."""

        def weigh(
            config: ContainerConfig, candidates: Sequence[Node], nodes: Sequence[Node]
        ) -> list[float]:
            self._ask("weigher", weigher.name)
            try:
                values = list(map(float, weigher.weigh(config, candidates, nodes)))
            except Exception as error:
                raise PlacementFailed(f"weigher {weigher.name} failed: {error!r}") from error
            if len(values) != len(candidates) or not all(map(math.isfinite, values)):
                raise PlacementFailed(
                    f"weigher {weigher.name} weighed {len(candidates)} nodes as {values!r}"
                )
            return values

        return replace(weigher, weigh=weigh)

    def _classic_sentence(
        self,
        config: ContainerConfig,
        rules: Sequence[tuple[str, Rule]],
        refusals: Sequence[tuple[Node, Rule, str]],
    ) -> str:
        filter_of = {rule.text: name for name, rule in rules}
        refused_by = [(filter_of.get(rule.text, ""), rule.text) for _, rule, _ in refusals]
        return word_classic(config, self.filter_names, refused_by)

    def _compile(self, config: ContainerConfig) -> list[tuple[str, Rule]]:
        """All rules, each with the name of its filter."""
        self._check_read(config)
        rules = [("core", DRAINED)]
        for each in self._filters:
            self._ask("filter", each.name)
            try:
                compiled = list(each.rules(config))
            except SwarmError:
                raise
            except Exception as error:
                raise PlacementFailed(f"filter {each.name} failed: {error!r}") from error
            for rule in compiled:
                if not isinstance(rule, Rule):
                    raise PlacementFailed(f"filter {each.name} returned {rule!r}, not a Rule")
                rules.append((each.name, rule))
        rules += [("core", rule) for rule in need_rules(config)]
        rules += [("core", rule) for rule in device_rules(config)]
        # Last, so that lack of room is reported only for nodes that would fit otherwise.
        return rules + [("core", rule) for rule in room_rules(config.claim)]

    def _check_read(self, config: ContainerConfig) -> None:
        """Refuse expressions that no filter reads, as the container could be placed anywhere.

        Raises:
            BadRequest: there is such an expression.
        """
        for family, expressions in (
            ("constraint", config.constraints),
            ("affinity", config.affinities),
            ("whitelist", config.whitelists),
        ):
            if expressions and family not in self._read:
                raise BadRequest(
                    f"{family} {expressions[0]}: no loaded filter reads it; start the manager with"
                    f" --filter +{family}, or leave it out"
                )

    def _weigh(self, config: ContainerConfig, node: Node) -> tuple[float, ...]:
        name = self._strategy.name
        self._ask("strategy", name)
        try:
            weighed: Any = self._strategy.weigh(config, node)
            weight = tuple(map(float, weighed))
        except Exception as error:
            raise PlacementFailed(f"strategy {name} failed: {error!r}") from error
        if isinstance(weighed, str) or not weight or not all(map(math.isfinite, weight)):
            raise PlacementFailed(f"strategy {name} weighed {node.name} as {weighed!r}")
        return weight

    def _check_lengths(self, candidates: Sequence[Candidate]) -> None:
        for first, other in pairwise(candidates):
            if len(first.weight) != len(other.weight):
                raise PlacementFailed(
                    f"strategy {self._strategy.name} weighed {first.node.name} as {first.weight}"
                    f" and {other.node.name} as {other.weight}: all weights must be of one length"
                )

    def _first_refusal(
        self, rules: Sequence[tuple[str, Rule]], node: Node
    ) -> tuple[Rule, str] | None:
        for name, rule in rules:
            reason = self._check(name, rule, node)
            if reason is not None:
                return rule, reason
        return None

    def _verdicts(self, rules: Sequence[tuple[str, Rule]], node: Node) -> Sequence[Verdict]:
        return [Verdict(name, rule, self._check(name, rule, node)) for name, rule in rules]

    def _check(self, name: str, rule: Rule, node: Node) -> str | None:
        self.progress.kind, self.progress.name = "filter", name  # inlined: called very often
        try:
            reason = rule.check(node)
        except Exception as error:
            raise PlacementFailed(f"filter {name} failed: {rule.text}: {error!r}") from error
        if reason is not None and not isinstance(reason, str):
            raise PlacementFailed(f"filter {name}: {rule.text} answered {reason!r}, not a reason")
        return reason

    def _ask(self, kind: str, name: str) -> None:
        self.progress.kind, self.progress.name = kind, name


def _dropped(soft: Sequence[str], chosen: Candidate) -> list[str]:
    """The texts of the soft rules that the chosen node breaks."""
    return [text for text, broken in zip(soft, chosen.broken, strict=True) if broken]
