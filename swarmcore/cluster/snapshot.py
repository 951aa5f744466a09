"""The engines of a cluster at one moment, sorted and grouped.  Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from swarmcore.engine import Engine
from swarmcore.model import State
from swarmcore.node import Node
from swarmcore.versions import CEILING, FLOOR, ApiVersion

_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """The engines, in natural order of their names, then of their addresses.

    Attributes:
        all: every engine in discovery's list, including pending ones.
        nodes: their nodes.
        registered: the engines that have joined, healthy or not.
        healthy: the engines that answer.
        api_version: the newest API version that this manager and all healthy engines support.
        min_api_version: the oldest API version that all healthy engines support, at most ``FLOOR``.
        made_of: the facts about each engine from which all this was made; see ``still_shows``.
    """

    all: tuple[Engine, ...]
    nodes: tuple[Node, ...]
    registered: tuple[Engine, ...]
    healthy: tuple[Engine, ...]
    api_version: ApiVersion
    min_api_version: ApiVersion
    made_of: Mapping[Engine, tuple[object, ...]]

    @classmethod
    def of(cls, engines: Iterable[Engine]) -> "EngineSnapshot":
        """Sort *engines* and group them by state."""
        all_ = tuple(sorted(engines, key=_order))
        registered = tuple(
            engine for engine in all_ if engine.node.state in (State.HEALTHY, State.UNHEALTHY)
        )
        healthy = tuple(engine for engine in registered if engine.node.state is State.HEALTHY)
        newest = min([CEILING, *(engine.node.api_version for engine in healthy)])
        oldest = max((engine.node.min_api_version for engine in healthy), default=FLOOR)
        return cls(
            all=all_,
            nodes=tuple(engine.node for engine in all_),
            registered=registered,
            healthy=healthy,
            api_version=newest,
            min_api_version=min(FLOOR, oldest),
            made_of={engine: _facts_about(engine) for engine in all_},
        )

    def still_shows(self, engine: Engine) -> bool:
        """Whether *engine* is in the right place and group."""
        return self.made_of.get(engine) == _facts_about(engine)


@lru_cache(maxsize=10_000)  # all engines are sorted again after each change
def natural_key(text: str) -> tuple[tuple[str, int], ...]:
    """A sort key that compares digits by value, so that ``n2`` comes before ``n10``."""
    pieces = _DIGITS.split(text)
    return tuple(zip(pieces[::2], [*map(int, pieces[1::2]), -1], strict=True))


def _facts_about(engine: Engine) -> tuple[object, ...]:
    """The facts about an engine on which its place in a snapshot depends."""
    node = engine.node
    return node, node.name, node.state, node.api_version, node.min_api_version


def _order(engine: Engine) -> tuple[tuple[tuple[str, int], ...], ...]:
    return natural_key(engine.node.name), natural_key(str(engine.entry.address))
