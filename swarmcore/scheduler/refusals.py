"""Texts of refusals: how many nodes each rule refused, and whether a retry can help.

With ``swarm.compat=classic``, Swarm classic's sentence, which scripts parse, comes first.  These
sentences and the order of their parts are those of Swarm classic 1.2.9.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.expressions import parse
from swarmcore.json_values import as_object, as_objects
from swarmcore.node import Node
from swarmcore.protocols import Refused, Rule

#: Swarm classic's text for a cluster without healthy engines.
NO_ENGINE = "No healthy node available in the cluster"
_LINE = "\n"
#: Maximum number of reasons why waiting cannot help; each one checks every node.
_MOST_REASONS = 5


def refuse(
    nodes: Sequence[Node],
    rules: Sequence[Rule],
    refusals: Sequence[tuple[Node, Rule, str]],
    classic: str = "",
) -> NoNodeFits:
    """Build the error for a refusal: a count for each rule, largest first.

    Args:
        nodes: all nodes considered.
        rules: the hard rules.
        refusals: for each node the rule that refused it, and the reason.
        classic: Swarm classic's sentence, which is put first; empty for none.

    Returns:
        The error; a ``NeverFits`` if a rule refuses all nodes even after their containers end.
    """
    groups: dict[str, tuple[Rule, list[tuple[Node, str]]]] = {}
    for node, rule, reason in refusals:
        groups.setdefault(rule.text, (rule, []))[1].append((node, reason))
    largest = sorted(groups.values(), key=lambda group: -len(group[1]))
    parts = [f"{len(pairs)} {_summarise(rule, pairs)}" for rule, pairs in largest]
    head = "no node fits" if any(node.health > 0 for node in nodes) else NO_ENGINE
    text = f"{head}: 0 of {len(nodes)} nodes: {', '.join(parts)}"
    if classic and not text.startswith(classic):
        text = f"{classic}{_LINE if _LINE in classic else ': '}{text}"
    told = {node.name: f"{rule.text} {reason}".rstrip() for node, rule, reason in refusals}
    reasons = (why for rule in rules if (why := _why_never(rule, nodes)))
    never = list(islice(reasons, _MOST_REASONS))
    return NeverFits("; ".join([text, *never]), told) if never else NoNodeFits(text, told)


def _summarise(rule: Rule, pairs: Sequence[tuple[Node, str]]) -> str:
    try:
        return rule.summarise(rule.text, Refused(pairs))
    except Exception:  # an error of a plugin's text function must not replace the refusal
        return rule.text


def _why_never(rule: Rule, nodes: Sequence[Node]) -> str | None:
    if rule.never is None:
        return None
    try:
        why = rule.never(nodes) if all(rule.check(node) is not None for node in nodes) else None
    except Exception:  # as above
        return None
    return why if isinstance(why, str) else None


# ---- Swarm classic's sentences


NO_ROOM = "no resources available to schedule container"
NO_CONDITIONS = "Unable to find a node that satisfies the following conditions "
_ROOM = frozenset({"memory", "cpu", "gpu"})


def word_classic(
    config: ContainerConfig, chain: Sequence[str], refused_by: Sequence[tuple[str, str]]
) -> str:
    """Swarm classic's sentence for a refusal.

    Args:
        config: the container's configuration.
        chain: names of the filters, in order.
        refused_by: for each node the filter (``core`` for the core's rules) and the text of the
            rule that refused it.

    Returns:
        One line, or several: a line for each filter up to the one that left no node.
    """
    if any(name == "core" and text in _ROOM for name, text in refused_by):
        return NO_ROOM  # some node passed the filters
    failing = max((chain.index(name) for name, _ in refused_by if name in chain), default=-1)
    if failing >= 0 and chain[failing] == "health":
        return NO_ENGINE
    asked = [" ".join(_items(name, config)) for name in chain[: failing + 1]]
    return "\n".join([NO_CONDITIONS, *(f"[{items}]" for items in asked if items)])


def _items(name: str, config: ContainerConfig) -> Iterator[str]:
    return _CONDITIONS[name](config) if name in _CONDITIONS else iter(())


def _ports(config: ContainerConfig) -> Iterator[str]:
    if config.network_mode == "host":
        return (f"port {port} (Host mode)" for port in config.exposed_ports)
    bindings = as_object(as_object(config.body.get("HostConfig")).get("PortBindings"))
    return (
        f"port {binding.get('HostPort') or ''} (Bridge mode)"
        for each in bindings.values()
        for binding in as_objects(each)
    )


def _slots(config: ContainerConfig) -> Iterator[str]:
    yield "available container slots"


def _dependencies(config: ContainerConfig) -> Iterator[str]:
    for name in config.volumes_from:
        yield f"--volumes-from={name}"
    for name in config.links:
        yield f"--link={name}"
    if config.network_mode.startswith("container:"):
        yield f"--net={config.network_mode}"


def _constraints(config: ContainerConfig) -> Iterator[str]:
    for each in map(parse, config.constraints):
        yield f"{each.key}{each.operator}{each.value}"


def _softness(expressions: Sequence[str]) -> Iterator[str]:
    for each in map(parse, expressions):
        yield f"{each.key}{each.operator}{each.value} (soft={str(each.soft).lower()})"


_CONDITIONS: Mapping[str, Callable[[ContainerConfig], Iterator[str]]] = {
    "port": _ports,
    "containerslots": _slots,
    "dependency": _dependencies,
    "affinity": lambda config: _softness(config.affinities),
    "constraint": _constraints,
    "whitelist": lambda config: _softness(config.whitelists),
}
