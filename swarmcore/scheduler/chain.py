"""The chain of rules of one create: a drain, the filters' rules, then those of the core."""

from collections.abc import Iterable, Sequence

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import BadRequest
from swarmcore.protocols import Filter, Rule
from swarmcore.scheduler.builtin_rules import DRAINED, device_rules, need_rules, room_rules
from swarmcore.scheduler.plugin_calls import PluginCalls

#: A rule with the name of its filter; ``core`` for the core's own rules.
Owned = tuple[str, Rule]


class Chain:
    """Compiles the rules of creates.

    Args:
        filters: provide rules, in this order.
        calls: calls the filters.
    """

    def __init__(self, filters: Iterable[Filter], calls: PluginCalls) -> None:
        self._filters = tuple(filters)
        self._calls = calls
        #: The families of expressions that the filters read.
        self._read = {
            word for each in self._filters for word in getattr(each, "reads", (each.name,))
        }

    @property
    def names(self) -> Sequence[str]:
        """The filters' names, in the order of the chain."""
        return [each.name for each in self._filters]

    def compile(self, config: ContainerConfig) -> list[Owned]:
        """All rules, in the order in which they are checked.

        Raises:
            BadRequest: an expression is malformed, or no filter reads it.
            PlacementFailed: a filter failed.
        """
        self._check_read(config)
        rules = [("core", DRAINED)]
        for each in self._filters:
            rules += [(each.name, rule) for rule in self._calls.rules_of(each, config)]
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
