"""Calls of filters, strategies and weighers: shown to the watchdog, and their results checked."""

import math
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import SwarmError
from swarmcore.node import ALL_ASPECTS, Aspect, Node
from swarmcore.protocols import Filter, KeyedStrategy, Rule, Strategy, Weigher
from swarmcore.scheduler.progress import DecisionProgress


class PlacementFailed(SwarmError):
    """A filter, strategy or weigher raised an exception or returned an invalid value."""


class PluginCalls:
    """Calls plugins on behalf of the scheduler.

    Attributes:
        progress: progress of the current decision, for the watchdog.
    """

    def __init__(self) -> None:
        self.progress = DecisionProgress()

    def announce(self, kind: str, name: str) -> None:
        """Tell the watchdog which plugin is called next."""
        self.progress.kind, self.progress.name = kind, name

    # ---- filters

    def rules_of(self, made_by: Filter, config: ContainerConfig) -> Iterator[Rule]:
        """The rules of a filter.

        Raises:
            BadRequest: an expression is malformed.
            PlacementFailed: the filter failed.
        """
        self.announce("filter", made_by.name)
        try:
            compiled = list(made_by.rules(config))
        except SwarmError:
            raise
        except Exception as error:
            raise PlacementFailed(f"filter {made_by.name} failed: {error!r}") from error
        for rule in compiled:
            if not isinstance(rule, Rule):
                raise PlacementFailed(f"filter {made_by.name} returned {rule!r}, not a Rule")
            try:
                _check_key(rule.key, rule.reads)
            except Exception as error:
                raise PlacementFailed(
                    f"filter {made_by.name}: {rule.text} has an invalid key: {error!r}"
                ) from error
            yield rule

    def check(self, name: str, rule: Rule, node: Node) -> str | None:
        """The answer of a filter's rule for one node.

        Raises:
            PlacementFailed: the check failed.
        """
        self.progress.kind, self.progress.name = "filter", name  # inlined: called very often
        try:
            reason = rule.check(node)
        except Exception as error:
            raise PlacementFailed(f"filter {name} failed: {rule.text}: {error!r}") from error
        if reason is not None and not isinstance(reason, str):
            raise PlacementFailed(f"filter {name}: {rule.text} answered {reason!r}, not a reason")
        return reason

    # ---- strategies

    def key_of(
        self, strategy: KeyedStrategy, config: ContainerConfig
    ) -> tuple[Hashable | None, frozenset[Aspect]]:
        """The key of the strategy's weights, and what they depend on.

        Raises:
            PlacementFailed: the strategy failed.
        """
        self.announce("strategy", strategy.name)
        try:
            key, reads = strategy.key(config), strategy.reads
            _check_key(key, reads)
        except Exception as error:
            raise PlacementFailed(f"strategy {strategy.name} failed: {error!r}") from error
        return key, frozenset(reads)

    def weigh(self, strategy: Strategy, config: ContainerConfig, node: Node) -> tuple[float, ...]:
        """The strategy's weight of one node.

        Raises:
            PlacementFailed: the strategy failed.
        """
        name = strategy.name
        self.announce("strategy", name)
        try:
            weighed: Any = strategy.weigh(config, node)
            weight = tuple(map(float, weighed))
        except Exception as error:
            raise PlacementFailed(f"strategy {name} failed: {error!r}") from error
        if isinstance(weighed, str) or not weight or not all(map(math.isfinite, weight)):
            raise PlacementFailed(f"strategy {name} weighed {node.name} as {weighed!r}")
        return weight

    # ---- weighers

    def checked(self, weigher: Weigher) -> Weigher:
        """Wrap *weigher* so that its calls are observed and its values checked."""

        def weigh(
            config: ContainerConfig, candidates: Sequence[Node], nodes: Sequence[Node]
        ) -> list[float]:
            self.announce("weigher", weigher.name)
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


def _check_key(key: Hashable | None, reads: Collection[Aspect]) -> None:
    """Raise an error if *key* cannot be hashed, or *reads* has something else than aspects."""
    hash(key)
    if not ALL_ASPECTS.issuperset(reads):
        raise ValueError(f"reads {reads!r}, which are not all aspects")
