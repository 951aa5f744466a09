"""The placement decision: hard rules, soft rules, then weights, in one synchronous, pure step.

Hard rules refuse nodes.  If not all soft rules can be met, as few as possible are dropped, the last
first.  (Swarm classic drops all or none.)  The strategy ranks the candidates.  Filters and
strategies are plugins: their results are checked, and their exceptions are reported with the
plugin's name.

What rules and the strategy said of a node is kept until the node changes, so that a decision visits
only changed nodes; see ``kept``.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import BadRequest, NoNodeFits
from swarmcore.node import ALL_ASPECTS, Aspect, Node, image_test
from swarmcore.protocols import (
    Candidate,
    Decision,
    Filter,
    KeyedStrategy,
    Rule,
    Strategy,
    Verdict,
    Weigher,
)
from swarmcore.scheduler.chain import Chain, Owned
from swarmcore.scheduler.image_locality import settle_image
from swarmcore.scheduler.kept import Entry, Kept, Said, UnevenWeights
from swarmcore.scheduler.outcome import Ranking, Refusals, RefusedBy, divide
from swarmcore.scheduler.plugin_calls import PlacementFailed, PluginCalls
from swarmcore.scheduler.ranking import (
    FAILED_PULLS,
    FEWEST_MOVES,
    FailureHistory,
    count_failed_pulls,
    rank,
)
from swarmcore.scheduler.refusals import NO_ENGINE, refuse, word_classic
from swarmcore.scheduler.roster import positions_of

#: Upper limit of a decision with all verdicts: 250 rules for 1,000 nodes.
_MOST_VERDICTS = 250_000

_IMAGES = frozenset({Aspect.IMAGES})
#: Finds the nodes on which pulls failed; its verdicts are kept like those of a rule.
_PULLS_WORK = Rule(
    "failed pulls",
    lambda node: "" if node.failed_pulls else None,
    key="failed pulls",
    reads=_IMAGES,
)


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
        self._calls = PluginCalls()
        #: Progress of the current decision, for the watchdog.
        self.progress = self._calls.progress
        self._strategy = strategy
        self._keyed = strategy if isinstance(strategy, KeyedStrategy) else None
        self._chain = Chain(filters, self._calls)
        self._weighers = tuple(map(self._calls.checked, weighers))
        self._failures = failures
        self._classic = classic
        self._carry = carry
        self._kept = Kept(())

    @property
    def strategy_name(self) -> str:
        """The strategy's name for ``--strategy``."""
        return self._strategy.name

    @property
    def filter_names(self) -> Sequence[str]:
        """The filters' names for ``--filter``, in the order of the chain."""
        return self._chain.names

    def note_failure(self, node: Node) -> None:
        """Record that a create failed on *node* because of the node; used by weighers."""
        if self._failures is not None:
            self._failures.note(node.id)

    def follow(self, nodes: Sequence[Node]) -> None:
        """Keep results about *nodes*, and forget all others, which have left the cluster.

        Decisions on nodes that are not followed follow them first.
        """
        if self._kept.roster.nodes != tuple(nodes):
            self._kept.roster.close()
            self._kept = Kept(nodes)

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
        asked = tuple(nodes)
        if not asked:
            return Decision((), (), (), NoNodeFits(NO_ENGINE), weighers=self._weighers)
        among = self._find(asked)
        with self._deciding(config, asked):
            return self._decide(config, asked, among, whole=whole)

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
            return all(
                rule.soft or self._calls.check(name, rule, node) is None
                for name, rule in self._chain.compile(config)
            )

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
            return self._refuse(config, nodes, self._chain.compile(config), refusals)

    def holders(self, image: str, nodes: Iterable[Node]) -> Sequence[Node]:
        """Those of *nodes* that have *image*, in their order.

        Args:
            image: as a client named it.
            nodes: the nodes of the cluster.
        """
        among = self._find(tuple(nodes))
        return self._kept.roster.select(self._holding(image, among))

    @contextmanager
    def _deciding(self, config: ContainerConfig, nodes: Sequence[Node]) -> Iterator[None]:
        """Count one decision for the watchdog; leave out the containers that *config* replaces."""
        self.progress.number += 1
        try:
            with ExitStack() as stack:
                for node in nodes if config.replaces else ():
                    if not config.replaces.isdisjoint(node.containers):
                        stack.enter_context(node.without(config.replaces))
                yield
        finally:
            self.progress.name = ""

    def rehearse(self, config: ContainerConfig, nodes: Iterable[Node]) -> Iterator[None]:
        """Check every rule for every node, yielding after each check.

        Verdicts are kept, and nodes cache the results of slow pattern matches, so a decision made
        soon after is fast.

        Raises:
            SwarmError: see ``decide``, which raises the same error.
        """
        rules = self._chain.compile(config)
        among, kept = self._find(tuple(nodes)), self._kept
        for name, rule in rules:
            for position in positions_of(kept.unknown(name, rule, among)):
                self.progress.number += 1
                kept.ask(name, rule, 1 << position, partial(self._calls.check, name, rule))
                self.progress.name = ""
                yield

    def _find(self, asked: Sequence[Node]) -> int:
        """The mask of *asked*, which are followed from now on."""
        mask = self._kept.roster.find(asked)
        if mask is None:
            self.follow(asked)
            mask = self._kept.roster.everyone
        return mask

    def _decide(
        self, config: ContainerConfig, asked: Sequence[Node], among: int, *, whole: bool
    ) -> Decision:
        rules = self._chain.compile(config)
        if whole and len(rules) * len(asked) > _MOST_VERDICTS:
            raise BadRequest(
                f"{len(rules)} rules for {len(asked)} nodes are too much to explain: ask with fewer"
                " constraints"
            )
        passed, refusals = self._refuse_nodes(rules, among)
        soft = [(name, rule) for name, rule in rules if rule.soft]
        broken_by = [self._ask(name, rule, passed).refused for name, rule in soft]
        order = self._order(config, passed)
        ranking = Ranking(self._kept.roster.nodes, divide(passed, broken_by), order)
        weighers = self._weighers_for(config, passed)
        verdicts = {node.id: self._verdicts(rules, node) for node in asked} if whole else {}
        if not passed:
            self._calls.announce("filter", ", ".join(self.filter_names))
            told = list(refusals)
            error = self._refuse(config, asked, rules, told)
            return Decision((), (), told, error, verdicts, weighers)
        candidates = ranking.sequence()
        if weighers:
            candidates = rank(config, candidates, asked, weighers)
        texts = [rule.text for _, rule in soft]
        dropped = _dropped(texts, candidates[0])
        reasons = list(refusals) if whole else refusals
        decision = Decision(candidates, dropped, reasons, None, verdicts, weighers, soft=texts)
        return self._with_image(config, decision, among, None if weighers else ranking)

    def _refuse_nodes(self, rules: Sequence[Owned], among: int) -> tuple[int, Refusals]:
        """The mask of the nodes that pass all hard rules, and the refusals of the others."""
        passed, parts = among, []
        for name, rule in rules:
            if rule.soft or not passed:
                continue
            said = self._ask(name, rule, passed)
            if said.refused:
                parts.append(RefusedBy(rule, said.refused, said))
                passed &= ~said.refused
        return passed, Refusals(self._kept.roster.nodes, parts)

    def _ask(self, name: str, rule: Rule, among: int) -> Said:
        return self._kept.ask(name, rule, among, partial(self._calls.check, name, rule))

    def _order(self, config: ContainerConfig, passed: int) -> Sequence[Entry]:
        """The strategy's order of at least the nodes that passed."""
        strategy, keyed, calls = self._strategy, self._keyed, self._calls
        key, reads = (None, ALL_ASPECTS) if keyed is None else calls.key_of(keyed, config)
        try:
            return self._kept.order(key, reads, passed, partial(calls.weigh, strategy, config))
        except UnevenWeights as error:
            first, other = error.first, error.other
            raise PlacementFailed(
                f"strategy {strategy.name} weighed {first.name} as {first.weight} and {other.name}"
                f" as {other.weight}: all weights must be of one length"
            ) from None

    def _weighers_for(self, config: ContainerConfig, passed: int) -> tuple[Weigher, ...]:
        """The operator's weighers, preceded by the built-in ones that apply."""
        first: list[Weigher] = []
        failed = self._kept.ask("core", _PULLS_WORK, passed, _PULLS_WORK.check).refused
        if any(count_failed_pulls(node, config.image) for node in self._kept.roster.select(failed)):
            first.append(FAILED_PULLS)
        if config.loose:
            first.append(FEWEST_MOVES)
        return (*first, *self._weighers)

    def _with_image(
        self, config: ContainerConfig, decision: Decision, among: int, ranking: Ranking | None
    ) -> Decision:
        """Apply ``settle_image`` to *decision*, unless the location of images does not matter.

        Args:
            config: the container's configuration.
            decision: the decision so far.
            among: the nodes considered.
            ranking: the order of the candidates; ``None`` if weighers have changed it.
        """
        first, image = decision.candidates[0], config.image
        if self._carry is None or not image or image_test(image)(first.node):
            return decision
        holding = self._holding(image, among)
        holders = self._kept.roster.select(holding)
        if ranking is not None:
            holder = ranking.first_among(holding)
        else:
            holder = next((each for each in decision.candidates if each.node in holders), None)
        return settle_image(image, decision, holders, holder, self._carry)

    def _holding(self, image: str, among: int) -> int:
        """The mask of the nodes that have *image*; kept like the verdicts of a rule."""
        has = image_test(image)
        lacks = Rule("image", lambda node: None if has(node) else "", key=image, reads=_IMAGES)
        return among & ~self._kept.ask("core images", lacks, among, lacks.check).refused

    def _refuse(
        self,
        config: ContainerConfig,
        nodes: Sequence[Node],
        rules: Sequence[Owned],
        refusals: Sequence[tuple[Node, Rule, str]],
    ) -> NoNodeFits:
        self._calls.announce("filter", ", ".join(self.filter_names))
        sentence = self._classic_sentence(config, rules, refusals) if self._classic else ""
        return refuse(nodes, [rule for _, rule in rules if not rule.soft], refusals, sentence)

    def _classic_sentence(
        self,
        config: ContainerConfig,
        rules: Sequence[Owned],
        refusals: Sequence[tuple[Node, Rule, str]],
    ) -> str:
        filter_of = {rule.text: name for name, rule in rules}
        refused_by = [(filter_of.get(rule.text, ""), rule.text) for _, rule, _ in refusals]
        return word_classic(config, self.filter_names, refused_by)

    def _verdicts(self, rules: Sequence[Owned], node: Node) -> Sequence[Verdict]:
        return [Verdict(name, rule, self._calls.check(name, rule, node)) for name, rule in rules]


def _dropped(soft: Sequence[str], chosen: Candidate) -> list[str]:
    """The texts of the soft rules that the chosen node breaks."""
    return [text for text, broken in zip(soft, chosen.broken, strict=True) if broken]
