"""The filters of ``docker ps``, each compiled once for a list into a test of one container.

The rules are the engine's, except for ``node``, an addition of Swarm classic.  A container must
pass all filters, and passes one if any of its values matches.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from swarmcore.errors import NotFound
from swarmcore.go_formats import (
    BadValue,
    NumberError,
    parse_int,
    parse_port,
)
from swarmcore.images import named_ids
from swarmcore.list_filters import Filters, invalid
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.patterns import is_plain
from swarmcore_api_docker.containers.summary import NODE_LABEL
from swarmcore_api_docker.yielding import Yielder

#: Whether a container on a node is listed.
Test = Callable[[Container, Node], bool]
_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
_HEALTHS = ("none", "starting", "healthy", "unhealthy")
_TASK_LABELS = ("com.docker.swarm.task", "com.docker.swarm.task.id")


@dataclass(frozen=True, slots=True)
class FilterContext:
    """Data that some filters look up when they are compiled.

    Attributes:
        find: finds a container by id or name; raises ``NotFound``.
        nodes: all nodes.
    """

    find: Callable[[str], Container]
    nodes: Sequence[Node]


_Compiler = Callable[[Filters, FilterContext], Test]


async def compile_filters(filters: Filters, context: FilterContext) -> list[Test]:
    """Compile filters into tests that a container must pass, one for each filter.

    Raises:
        BadRequest: an unknown filter, or one with an invalid value.
        BadValue: an invalid value for which an engine answers 500.
        NotFound: ``before`` or ``since`` does not name a container.
    """
    filters.refuse_unknown((*_COMPILERS, "ancestor"))
    tests = [compiler(filters, context) for key, compiler in _COMPILERS.items() if key in filters]
    if "ancestor" in filters:
        tests.append(await _by_ancestor(filters, context))
    return tests


def _everything(container: Container, node: Node) -> bool:
    return True


# ---- names and ids


def _by_name(filters: Filters, context: FilterContext) -> Test:
    values = filters.values("name")
    if len(values) == 1 and is_plain(values[0]):
        (part,) = values

        def contains(container: Container, node: Node) -> bool:
            # Ten times as fast as patterns.  A plain value has no newline, so that it cannot begin
            # in one name and end in the next.
            names = container.names
            return bool(names) and part in "/" + "\n/".join(names)

        return contains
    found = filters.matching("name")

    def test(container: Container, node: Node) -> bool:
        return any(found(name) or found(f"/{name}") for name in container.names)

    return test


def _by_id(filters: Filters, context: FilterContext) -> Test:
    """Compile ``id``: each value is an id, or the beginning of the id of exactly one container."""
    values = filters.values("id")
    if not values:
        return _everything
    known = sorted(id for node in context.nodes for id in node.shown_containers)
    wanted = {id for value in values if (id := _complete_id(known, value))}
    return lambda container, node: container.id in wanted


def _complete_id(known: Sequence[str], value: str) -> str:
    """Return the only id in *known* (sorted) that begins with *value*; empty if not exactly one."""
    at = bisect_left(known, value)
    found = [id for id in known[at : at + 2] if id.startswith(value)]
    return found[0] if value and len(found) == 1 else ""


def _by_node(filters: Filters, context: FilterContext) -> Test:
    """Compile ``node``: the exact name or id of a node, or otherwise a pattern, as in classic."""
    values = filters.values("node")
    known = {text for node in context.nodes for text in (node.name, node.id)}
    exact = {value for value in values if value in known}
    patterns = Filters.of({"node": [value for value in values if value not in exact]})
    found = patterns.matching("node") if len(exact) < len(values) or not values else _nothing
    return lambda container, node: bool({node.name, node.id} & exact) or found(node.name)


def _nothing(text: str) -> bool:
    return False


# ---- state


def _by_status(filters: Filters, context: FilterContext) -> Test:
    wanted = filters.values("status")
    for value in wanted:
        if value not in _STATES:
            raise invalid("status", value, _must_be("state", value, _STATES))
    return (lambda container, node: container.state in wanted) if wanted else _everything


def _by_health(filters: Filters, context: FilterContext) -> Test:
    for value in filters.values("health"):
        if value not in _HEALTHS:
            raise invalid("health", value, _must_be("health", value, _HEALTHS))
    wanted = filters.equal("health")
    return lambda container, node: wanted(container.facts.health)


def _must_be(what: str, value: str, known: Sequence[str]) -> str:
    return f"invalid value for {what} ({value}): must be one of {', '.join(known)}"


def _by_exit_code(filters: Filters, context: FilterContext) -> Test:
    codes = set()
    for value in filters.values("exited"):
        try:
            codes.add(parse_int(value, "Atoi"))
        except NumberError as error:
            raise invalid("exited", value, str(error)) from None

    def test(container: Container, node: Node) -> bool:
        facts = container.facts
        return not container.running and facts.was_started and facts.exit_code in codes

    return test if codes else _everything


# ---- labels and kinds


def _by_label(filters: Filters, context: FilterContext) -> Test:
    holds = filters.labelled("label")
    if not any(value.startswith(NODE_LABEL) for value in filters.values("label")):
        return lambda container, node: holds(container.labels)
    return lambda container, node: holds({**container.labels, NODE_LABEL: node.name})


def _by_task(filters: Filters, context: FilterContext) -> Test:
    wanted = filters.flag("is-task")
    return lambda container, node: (
        any(label in container.labels for label in _TASK_LABELS) is wanted
    )


def _by_isolation(filters: Filters, context: FilterContext) -> Test:
    """Compile ``isolation``, which is for Windows; an engine on Linux ignores it."""
    found = filters.matching("isolation")

    def test(container: Container, node: Node) -> bool:
        if node.machine[0] == "linux" or container.detail.get("Platform") != "windows":
            return True
        host_config = container.detail.get("HostConfig") or {}
        return found(str(host_config.get("Isolation") or "default").lower())

    return test


# ---- objects that a container uses; a filter without a value matches nothing


async def _by_ancestor(filters: Filters, context: FilterContext) -> Test:
    yielder, named = Yielder(), set[str]()
    for node in context.nodes:
        for value in filters.values("ancestor"):
            named |= named_ids(node.images, value)
            await yielder.checkpoint()
    wanted = {node.id: _descendants(node, named) for node in context.nodes}
    return lambda container, node: container.image_id in wanted.get(node.id, ())


def _descendants(node: Node, named: Set[str]) -> set[str]:
    """Return the ids *named*, and the ids of images on the node that were built on them."""
    ids = set(named)
    children: dict[str, list[str]] = {}
    if ids:
        for id, image in node.images.items():
            children.setdefault(str(image.get("ParentId") or ""), []).append(id)
    waiting = list(ids)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in ids:
                ids.add(child)
                waiting.append(child)
    return ids


def _by_volume(filters: Filters, context: FilterContext) -> Test:
    wanted = frozenset(filters.values("volume"))
    return lambda container, node: not wanted.isdisjoint(container.facts.mounts)


def _by_network(filters: Filters, context: FilterContext) -> Test:
    wanted = filters.values("network")

    def test(container: Container, node: Node) -> bool:
        networks = container.facts.networks
        return any(name in wanted or id.startswith(wanted) for name, id in networks)

    return test


def _by_port(key: str, field: str) -> _Compiler:
    def compile_ports(filters: Filters, context: FilterContext) -> Test:
        ranges = [_parse_ports(key, value) for value in filters.values(key)]
        if not ranges:
            return _everything

        def test(container: Container, node: Node) -> bool:
            return any(
                low <= port.get(field, 0) <= high and port.get("Type") == protocol
                for port in container.summary.get("Ports") or ()
                for low, high, protocol in ranges
            )

        return test

    return compile_ports


def _parse_ports(key: str, value: str) -> tuple[int, int, str]:
    """Parse a port or a range of ports, with or without ``/protocol``."""
    if ":" in value:
        raise BadValue(f"filter for '{key}' should not contain ':': {value}")
    ports, _, protocol = value.partition("/")
    try:
        if not ports:
            raise NumberError("Empty string specified for ports.")
        first, dash, last = ports.partition("-")
        low = parse_port(first)
        high = parse_port(last.partition("-")[0]) if dash else low
        if high < low:
            raise NumberError(f"Invalid range specified for the Port: {ports}")
    except NumberError as error:
        raise BadValue(f"error while looking up for {key} {value}: {error}") from None
    return low, high, protocol.partition("/")[0] or "tcp"


# ---- age


def _by_age(key: str) -> _Compiler:
    def compile_age(filters: Filters, context: FilterContext) -> Test:
        marks = [_created(value, context) for value in filters.values(key)]
        if not marks:
            return _everything
        if key == "before":
            return lambda container, node: container.created < min(marks)
        return lambda container, node: container.created > max(marks)

    return compile_age


def _created(value: str, context: FilterContext) -> float:
    if not value:
        raise NotFound("No such container: ")
    return context.find(value).created


_COMPILERS: dict[str, _Compiler] = {
    "before": _by_age("before"),
    "exited": _by_exit_code,
    "expose": _by_port("expose", "PrivatePort"),
    "health": _by_health,
    "id": _by_id,
    "is-task": _by_task,
    "isolation": _by_isolation,
    "label": _by_label,
    "name": _by_name,
    "network": _by_network,
    "node": _by_node,
    "publish": _by_port("publish", "PublicPort"),
    "since": _by_age("since"),
    "status": _by_status,
    "volume": _by_volume,
}
