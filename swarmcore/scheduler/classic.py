"""Refusals in Swarm classic's sentences, which scripts read: ``swarm.compat=classic`` puts them
in front of ours.

The sentences and the order of their parts are those of classic 1.2.9.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from swarmcore.config import ContainerConfig
from swarmcore.expr import parse
from swarmcore.json_values import as_object, as_objects
from swarmcore.scheduler.refusals import NO_ENGINE

NO_ROOM = "no resources available to schedule container"
NO_CONDITIONS = "Unable to find a node that satisfies the following conditions "
_ROOM = frozenset({"memory", "cpu", "gpu"})


def word_classic(
    config: ContainerConfig, chain: Sequence[str], refused_by: Sequence[tuple[str, str]]
) -> str:
    """Classic's sentence for a refusal.

    Args:
        config: what is to run.
        chain: names of the filters, in their order.
        refused_by: for each node the filter (``core`` for the core's rules) and the text of the
            rule that refused it.

    Returns:
        One line, or a line and one more for each filter, up to the one that left no node.
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
