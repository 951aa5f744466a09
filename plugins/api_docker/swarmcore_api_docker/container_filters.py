"""The filters of ``docker ps``, each compiled once per list into a test of one container.

Rules are the engine's; ``node`` is classic's addition.  Values of one key are alternatives, keys
must all hold.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

from swarmcore.errors import BadRequest
from swarmcore.images import named_ids
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.patterns import PatternError, searcher
from swarmcore_api_docker.fragments import NODE_LABEL
from swarmcore_api_docker.status_text import word_health
from swarmcore_api_docker.timestamps import parse_moment

#: Whether a container, on its node, is to be listed.
Test = Callable[[Container, Node], bool]

_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
_HEALTHS = frozenset({"none", "starting", "healthy", "unhealthy"})
_TRUE, _FALSE = frozenset({"1", "t", "true"}), frozenset({"0", "f", "false"})
_TASK_LABELS = ("com.docker.swarm.task", "com.docker.swarm.task.id")
_PLAIN = re.compile(r"[\w/:-]*", re.ASCII)
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What some filters must look up.

    Attributes:
        find: a container by id or name; raises ``NotFound``.
        nodes: all nodes.
    """

    find: Callable[[str], Container]
    nodes: Sequence[Node]


def compile_filters(filters: Mapping[str, Sequence[str]], around: Surroundings) -> list[Test]:
    """Make the tests that a container must all pass.

    Raises:
        BadRequest: an unknown key, or a value that its key cannot have.
        NotFound: ``before`` or ``since`` names no container.
    """
    tests = []
    for key, values in filters.items():
        compiler = _COMPILERS.get(key)
        if compiler is None:
            raise BadRequest(f"invalid filter '{key}'")
        if values:
            tests.append(compiler(values, around))
    return tests


def _invalid(key: str, value: str) -> BadRequest:
    return BadRequest(f"invalid filter '{key}={value}'")


# ---- names and ids


def _by_name(values: Sequence[str], around: Surroundings) -> Test:
    found = matcher(values)

    def test(container: Container, node: Node) -> bool:
        return any(found(name) or found(f"/{name}") for name in container.names)

    return test


def _by_id(values: Sequence[str], around: Surroundings) -> Test:
    found = matcher(values)
    return lambda container, node: found(container.id)


def _by_node(values: Sequence[str], around: Surroundings) -> Test:
    """An exact name, or id, means that node alone; anything else is a pattern, as in classic."""
    known = {text for node in around.nodes for text in (node.name, node.id)}
    exact = {value for value in values if value in known}
    found = matcher([value for value in values if value not in exact])
    return lambda container, node: bool({node.name, node.id} & exact) or found(node.name)


def matcher(values: Iterable[str]) -> Callable[[str], bool]:
    """Equal to one of *values*, or containing a match of one as a regular expression."""
    exact, parts, patterns = frozenset(values), [], []
    for value in exact:
        if _PLAIN.fullmatch(value):
            parts.append(value)  # most are; five times as fast as a pattern
            continue
        with suppress(PatternError):  # the engine, too, then compares the text only
            patterns.append(searcher(value))
    return lambda text: (
        text in exact
        or any(part in text for part in parts)
        or any(matches(text) for matches in patterns)
    )


# ---- state


def _by_status(values: Sequence[str], around: Surroundings) -> Test:
    wanted = set()
    for value in values:
        found = matcher([value])
        states = {state for state in _STATES if found(state)}
        if not states:
            raise _invalid("status", value)
        wanted |= states
    return lambda container, node: container.state in wanted


def _by_health(values: Sequence[str], around: Surroundings) -> Test:
    for value in values:
        if value not in _HEALTHS:
            raise _invalid("health", value)
    return lambda container, node: word_health(container.detail.get("State") or {}) in values


def _by_exit_code(values: Sequence[str], around: Surroundings) -> Test:
    codes = set()
    for value in values:
        try:
            codes.add(int(value))
        except ValueError:
            raise _invalid("exited", value) from None

    def test(container: Container, node: Node) -> bool:
        state = container.detail.get("State") or {}
        return (
            not container.running
            and state.get("ExitCode") in codes
            and parse_moment(state.get("StartedAt")) is not None
        )

    return test


# ---- labels and kinds


def _by_label(values: Sequence[str], around: Surroundings) -> Test:
    wanted = [value.partition("=") for value in values]

    def test(container: Container, node: Node) -> bool:
        labels = {**container.labels, NODE_LABEL: node.name}
        return all(
            key in labels and (not equals or labels[key] == value) for key, equals, value in wanted
        )

    return test


def _by_task(values: Sequence[str], around: Surroundings) -> Test:
    wanted = set()
    for value in values:
        if value.lower() not in _TRUE | _FALSE:
            raise _invalid("is-task", f"[{value}]")
        wanted.add(value.lower() in _TRUE)
    return lambda container, node: (
        any(label in container.labels for label in _TASK_LABELS) in wanted
    )


def _by_isolation(values: Sequence[str], around: Surroundings) -> Test:
    """Windows only: an engine on Linux lists everything whatever is asked."""
    found = matcher(values)

    def test(container: Container, node: Node) -> bool:
        if container.detail.get("Platform") != "windows":
            return True
        host_config = container.detail.get("HostConfig") or {}
        return found(str(host_config.get("Isolation") or "default").lower())

    return test


# ---- what a container uses


def _by_ancestor(values: Sequence[str], around: Surroundings) -> Test:
    named = {id for node in around.nodes for each in values for id in named_ids(node.images, each)}
    wanted = {node.id: _descendants(node, named) for node in around.nodes}
    return lambda container, node: container.image_id in wanted.get(node.id, ())


def _descendants(node: Node, named: Set[str]) -> set[str]:
    """*named*, ids of images, and those of the node's images that were built on them."""
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


def _by_volume(values: Sequence[str], around: Surroundings) -> Test:
    wanted = set(values)

    def test(container: Container, node: Node) -> bool:
        mounts = container.detail.get("Mounts") or ()
        return any(
            {mount.get("Name") or mount.get("Source"), mount.get("Destination")} & wanted
            for mount in mounts
        )

    return test


def _by_network(values: Sequence[str], around: Surroundings) -> Test:
    wanted = tuple(value for value in values if value)

    def test(container: Container, node: Node) -> bool:
        settings = container.detail.get("NetworkSettings") or {}
        return any(
            name in wanted or str((network or {}).get("NetworkID") or "").startswith(wanted)
            for name, network in (settings.get("Networks") or {}).items()
        )

    return test


def _by_port(key: str, field: str) -> Callable[[Sequence[str], Surroundings], Test]:
    def compile_ports(values: Sequence[str], around: Surroundings) -> Test:
        ranges = [_parse_ports(key, value) for value in values]

        def test(container: Container, node: Node) -> bool:
            return any(
                low <= port.get(field, 0) <= high and port.get("Type") == protocol
                for port in container.summary.get("Ports") or ()
                for low, high, protocol in ranges
            )

        return test

    return compile_ports


def _parse_ports(key: str, value: str) -> tuple[int, int, str]:
    found = _PORTS.fullmatch(value)
    if not found:
        raise _invalid(key, value)
    low, high = int(found[1]), int(found[2] or found[1])
    if not 0 < low <= high < 65536:
        raise _invalid(key, value)
    return low, high, (found[3] or "tcp").lower()


# ---- age


def _by_age(*, older: bool) -> Callable[[Sequence[str], Surroundings], Test]:
    def compile_age(values: Sequence[str], around: Surroundings) -> Test:
        marks = [around.find(value).created for value in values]
        if older:
            return lambda container, node: container.created < min(marks)
        return lambda container, node: container.created > max(marks)

    return compile_age


_COMPILERS: dict[str, Callable[[Sequence[str], Surroundings], Test]] = {
    "ancestor": _by_ancestor,
    "before": _by_age(older=True),
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
    "since": _by_age(older=False),
    "status": _by_status,
    "volume": _by_volume,
}
