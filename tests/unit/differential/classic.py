"""The decisions of classic Swarm 1.2.9, written from the description of its rules.

It shares no code with swarmcore.  Every intended difference is in ``DIFFERENCES`` and can be
repaired: ``decide(case, frozenset())`` is classic, ``decide(case, frozenset(DIFFERENCES))`` is
classic without the behaviour that we call a fault.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.unit.differential.cases import IMAGE, Binding, Box, Case, Image, Machine, Wanted

#: What swarmcore does otherwise -> why.
DIFFERENCES = {
    "soft": "as few wishes as possible are dropped, the last first; classic drops all when one"
    " cannot hold, or when there is no room where all hold",
    "exact": "a claim fits or does not; whole percents let classic go almost one over",
    "machine": "no container is promised more CPUs than its machine has",
    "kept back": "below zero overcommit keeps back at least what it says, down to whole CPUs",
    "random": "there is room where a container goes, whatever the strategy is",
    "protocols": "53/tcp and 53/udp are two ports",
    "host network": "ports on the host's network are host ports, also of creates under way",
    "stopped": "a stopped container holds no port: nodes without one go first, a start decides",
    "digests": "a value may have an @, and images answer to their digests",
    "patterns": "what is no pattern is an error; classic takes it for one that matches nothing",
    "slash": "a value of one slash is a value; classic's manager hangs",
    "first": "what cannot be read is an error, whichever filters refuse before it is looked at",
    "ids": "containers answer to short ids and swarm ids, images to ids without their algorithm",
    "coming": "an image that a create under way brings is there already",
    "aliases": "containers answer to every name that they have",
    "namespaces": "who joins an IPC or PID namespace goes to it",
    "volumes": "a volume that exists is used, not made anew elsewhere",
    "unread": "an expression that no filter reads is an error; classic passes over it",
    "whitelist": "a whitelist cannot forbid: != is an error; classic takes it for ==",
}


@dataclass(frozen=True)
class Outcome:
    """``placed``, ``refused``, ``malformed`` or ``hangs``, with the weights of possible nodes."""

    kind: str
    ranks: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def winners(self) -> set[str]:
        """The nodes with the best weight; any of them may be chosen."""
        best = min(self.ranks.values(), default=())
        return {name for name, rank in self.ranks.items() if rank == best}


class _Refused(Exception):
    """A filter left no node, or no node is large enough."""


class _Malformed(Exception):
    """An expression cannot be parsed."""


class _Hangs(Exception):
    """The process of classic hangs or ends."""


def decide(case: Case, repaired: frozenset[str]) -> Outcome:
    """Return classic's decision, with some differences repaired."""
    try:
        if "unread" in repaired and case.machines:
            _check_read(case)
        if "first" in repaired and case.machines:
            _read_all(case, repaired)
        return Outcome("placed", _rank(case, repaired))
    except _Refused:
        return Outcome("refused")
    except _Malformed:
        return Outcome("malformed")
    except _Hangs:
        return Outcome("hangs")


def _check_read(case: Case) -> None:
    wanted = case.wanted
    families = {
        "constraint": wanted.constraints,
        "affinity": wanted.affinities,
        "whitelist": wanted.whitelists,
    }
    if any(texts and family not in case.filters for family, texts in families.items()):
        raise _Malformed


def _rank(case: Case, repaired: frozenset[str]) -> Mapping[str, tuple[object, ...]]:
    if "soft" in repaired:
        weights = _attempt(case, repaired, wishes=False)
        tests = [test for name in case.filters for test in _wishes(case, name, repaired)]
        broken = {
            machine.name: [not test(machine) for test in tests]
            for machine in case.machines
            if machine.name in weights
        }
        return {
            name: (sum(broken[name]), broken[name], *weight) for name, weight in weights.items()
        }
    try:
        return _attempt(case, repaired, wishes=True)
    except _Refused:
        return _attempt(case, repaired, wishes=False)


def _attempt(
    case: Case, repaired: frozenset[str], *, wishes: bool
) -> Mapping[str, tuple[object, ...]]:
    """Run the filters and the strategy once."""
    left: Sequence[Machine] = case.machines
    for name in case.filters:
        tests = [test for soft, test in _tests(case, name, repaired) if wishes or not soft]
        left = [machine for machine in left if all(test(machine) for test in tests)]
        if not left:
            raise _Refused
    weights = {machine.name: _weigh(machine, case, repaired) for machine in left}
    fitting = {name: weight for name, weight in weights.items() if weight is not None}
    if not fitting:
        raise _Refused
    return fitting


def _wishes(case: Case, name: str, repaired: frozenset[str]) -> list[Callable[[Machine], bool]]:
    return [test for soft, test in _tests(case, name, repaired) if soft]


def _read_all(case: Case, repaired: frozenset[str]) -> None:
    for name in case.filters:
        _tests(case, name, repaired)


# ---- filters: pairs of being soft and a test of a machine

_Test = tuple[bool, Callable[[Machine], bool]]


def _tests(case: Case, name: str, repaired: frozenset[str]) -> list[_Test]:
    wanted = case.wanted
    match name:
        case "health":
            return [(False, lambda machine: machine.failures < 3)]
        case "port":
            unclaimed = partial(_has_ports, wanted, repaired, lambda box: True)
            if "stopped" not in repaired:
                return [(False, unclaimed)]
            free = partial(_has_ports, wanted, repaired, lambda box: not box.is_stopped)
            asks = bool(wanted.bindings or wanted.host_ports)
            return [(False, free), (True, unclaimed)] if asks else []
        case "containerslots":
            return [(False, _has_slot)]
        case "dependency":
            return list(_dependencies(case, repaired))
        case "affinity":
            return [_expression(text, _near, repaired) for text in wanted.affinities]
        case "constraint":
            return [_expression(text, _label, repaired) for text in wanted.constraints]
        case _:
            return [_whitelist(text, repaired) for text in wanted.whitelists]


def _has_ports(
    wanted: Wanted, repaired: frozenset[str], holds: Callable[[Box], bool], machine: Machine
) -> bool:
    boxes = list(filter(holds, machine.boxes))
    if "host network" in repaired:
        asked = [*wanted.bindings, *_host_bindings(wanted.host_ports)]
        held = [
            binding for box in boxes for binding in (*box.bindings, *_host_bindings(box.host_ports))
        ]
    elif wanted.host_ports:
        seen = {port for box in boxes if not box.is_pending for port in box.host_ports}
        return seen.isdisjoint(wanted.host_ports)
    else:
        asked = list(wanted.bindings)
        held = [binding for box in boxes for binding in box.bindings]
    blind = "protocols" not in repaired
    return not any(
        one.port == other.port
        and (blind or one.protocol == other.protocol)
        and (one.ip == other.ip or {one.ip, other.ip} & {"", "0.0.0.0", "::"})
        for one in asked
        for other in held
    )


def _host_bindings(ports: Sequence[str]) -> Iterator[Binding]:
    for text in ports:
        number, _, protocol = text.partition("/")
        yield Binding(int(number), protocol)


def _has_slot(machine: Machine) -> bool:
    text = dict(machine.labels).get("containerslots", "")
    return not re.fullmatch(r"[+-]?\d+", text) or len(machine.boxes) < int(text)


def _dependencies(case: Case, repaired: frozenset[str]) -> Iterator[_Test]:
    wanted = case.wanted
    names = [text.partition(":")[0] for text in (*wanted.volumes_from, *wanted.links)]
    joined = (wanted.network_of, wanted.ipc_of if "namespaces" in repaired else "")
    names += [text.partition(":")[2] for text in joined if text]
    for name in names:
        yield False, partial(_holds, name)
    if "volumes" in repaired:
        for volume in wanted.volumes:
            if any(volume in machine.volumes for machine in case.machines):
                yield False, partial(_has_volume, volume)


def _has_volume(volume: str, machine: Machine) -> bool:
    return volume in machine.volumes


def _holds(text: str, machine: Machine) -> bool:
    """Return whether a machine has a container, by classic's lookup."""
    boxes = [box for box in machine.boxes if not box.is_pending]
    for box in boxes:
        if text in (box.id, box.id[:12], box.swarm_id, box.swarm_id[:12]):
            return True
    for box in boxes:
        for name in (box.name, *box.aliases):
            if text in (name, f"/{name}", f"{machine.name}/{name}", f"{machine.id}/{name}"):
                return True
    begun = [box for box in boxes if box.id.startswith(text)]
    begun += [box for box in boxes if box.swarm_id.startswith(text)]
    return len(begun) == 1


def _whitelist(text: str, repaired: frozenset[str]) -> _Test:
    _, operator, value = _split(text, repaired)
    if operator == "!=" and "whitelist" in repaired:
        raise _Malformed
    if "patterns" in repaired:
        _pattern(value.lstrip("~"), repaired)
    names = value.lstrip("~").split("|")
    return value.startswith("~"), lambda machine: machine.name in names


_Candidates = Callable[[str, Machine, frozenset[str]], list[str]]


def _expression(text: str, candidates: _Candidates, repaired: frozenset[str]) -> _Test:
    key, operator, value = _split(text, repaired)
    pattern = _pattern(value.lstrip("~"), repaired)

    def test(machine: Machine) -> bool:
        if value == "/" and "slash" not in repaired:
            raise _Hangs
        words = candidates(key, machine, repaired)
        found = pattern is not None and any(pattern.search(word) for word in words)
        return found is (operator == "==")

    return value.startswith("~"), test


def _split(text: str, repaired: frozenset[str]) -> tuple[str, str, str]:
    operator = "==" if "==" in text else "!="
    key, found, value = text.partition(operator)
    more = "@" if "digests" in repaired else ""
    is_value = re.fullmatch(rf"[=!/]?~?[a-zA-Z0-9:\-_.*/()?+\[\]\\^$|\s{more}]+", value)
    if not found or not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9\-_.]+", key) or not is_value:
        raise _Malformed
    return key, operator, value


def _pattern(value: str, repaired: frozenset[str]) -> re.Pattern[str] | None:
    if len(value) > 1 and value.startswith("/") and value.endswith("/"):
        text = value[1:-1]
    else:
        text = f"^{value.replace('*', '.*')}$"
    try:
        return re.compile(text)
    except re.error:
        if "patterns" in repaired:
            raise _Malformed from None
        return None


def _label(key: str, machine: Machine, repaired: frozenset[str]) -> list[str]:
    return [machine.id, machine.name] if key == "node" else [dict(machine.labels).get(key, "")]


def _near(key: str, machine: Machine, repaired: frozenset[str]) -> list[str]:
    if key == "image":
        words = [word for image in machine.images for word in _image_words(image, repaired)]
        if "coming" in repaired and any(box.is_pending for box in machine.boxes):
            words += [IMAGE, IMAGE.rpartition(":")[0]]
        return words
    if key == "container":
        return [word for box in machine.boxes for word in _box_words(box, repaired)]
    return [dict(box.labels).get(key, "") for box in machine.boxes]


def _image_words(image: Image, repaired: frozenset[str]) -> Iterator[str]:
    yield from (image.id, image.tag, image.tag.rpartition(":")[0])
    if "ids" in repaired:
        yield from (image.id[7:], image.id[7:19])
    if "digests" in repaired:
        yield image.by_digest


def _box_words(box: Box, repaired: frozenset[str]) -> Iterator[str]:
    yield from (box.id, box.name)
    if "ids" in repaired:
        yield from (box.id[:12], box.swarm_id, box.swarm_id[:12])
    if "aliases" in repaired:
        yield from box.aliases


# ---- strategies


def _weigh(machine: Machine, case: Case, repaired: frozenset[str]) -> tuple[object, ...] | None:
    """Return the weight, lower is better; ``None`` if there is no room."""
    wanted, boxes = case.wanted, machine.boxes
    if case.strategy == "random" and "random" not in repaired:
        return ()
    cores, memory = _totals(machine, repaired)
    used_cores, used_memory = sum(box.cores for box in boxes), sum(box.memory for box in boxes)
    if "machine" in repaired and wanted.cores > machine.cores:
        return None
    shares = []
    for asked, used, total in (
        (wanted.cores, used_cores, cores),
        (wanted.memory, used_memory, memory),
    ):
        if asked > total:
            return None
        share = (used + asked) * 100 // total if asked else 100
        if share > 100 or (asked and "exact" in repaired and used + asked > total):
            return None
        shares.append(share)
    if case.strategy == "random":
        return ()
    health = 100 - machine.failures * 100 // 3 if machine.failures < 3 else 0
    if case.strategy == "spread":
        return sum(shares) - 10 * health, len(boxes)
    return -(sum(shares) + 10 * health), -len(boxes)


def _totals(machine: Machine, repaired: frozenset[str]) -> tuple[int, int]:
    percent = int(machine.overcommit * 100)

    def total(size: int) -> int:
        more = size * percent
        if "kept back" in repaired:
            return size + more // 100
        return size + (abs(more) // 100) * (1 if more >= 0 else -1)

    return total(machine.cores), total(machine.memory)
