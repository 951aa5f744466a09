"""Clusters and creates as neutral data, for the model of classic and for swarmcore.

A number determines a case, so that a case that fails can be examined alone: ``a_case(1234)``.
"""

import hashlib
from dataclasses import dataclass
from random import Random

MEBI = 1 << 20
#: What every container runs.
IMAGE = "busybox:latest"
FILTERS = (
    "health", "port", "containerslots", "dependency", "affinity", "constraint", "whitelist",
)  # fmt: skip


@dataclass(frozen=True)
class Binding:
    """A published host port; ``ip`` is empty for all addresses."""

    port: int
    protocol: str = "tcp"
    ip: str = ""


@dataclass(frozen=True)
class Box:
    """A container, or a reservation."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    memory: int = 0
    cores: int = 0
    bindings: tuple[Binding, ...] = ()
    #: Exposed on the host's network: ``8080/tcp``.
    host_ports: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    is_pending: bool = False
    is_stopped: bool = False

    @property
    def id(self) -> str:
        return digest(f"id {self.name}")

    @property
    def swarm_id(self) -> str:
        return digest(f"swarm id {self.name}")


@dataclass(frozen=True)
class Image:
    """An image; ``tag`` may be empty for an image that has only a digest."""

    tag: str

    @property
    def id(self) -> str:
        return f"sha256:{digest(f'image {self.tag}')}"

    @property
    def by_digest(self) -> str:
        return f"{self.tag.partition(':')[0]}@sha256:{digest(f'manifest {self.tag}')}"


@dataclass(frozen=True)
class Machine:
    """An engine; ``failures`` of 3 make it unhealthy."""

    name: str
    labels: tuple[tuple[str, str], ...]
    cores: int
    memory: int
    overcommit: float
    failures: int
    boxes: tuple[Box, ...]
    images: tuple[Image, ...]
    volumes: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{digest(self.name)[:12]}|192.0.2.1:2375"


@dataclass(frozen=True)
class Wanted:
    """A create."""

    constraints: tuple[str, ...]
    affinities: tuple[str, ...]
    whitelists: tuple[str, ...]
    memory: int
    cores: int
    bindings: tuple[Binding, ...]
    host_ports: tuple[str, ...]
    volumes_from: tuple[str, ...]
    links: tuple[str, ...]
    network_of: str
    ipc_of: str
    volumes: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """The input of one decision."""

    number: int
    machines: tuple[Machine, ...]
    wanted: Wanted
    strategy: str
    filters: tuple[str, ...]


def digest(text: str) -> str:
    """Return 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


# ---- by lot

_NODES = ("east-1", "east-2", "west-1", "west-2", "n5", "n6")
_ZONES = ("a", "b", "eu-1")
_TIERS = ("web", "db")
_TAGS = (IMAGE, "busybox:1", "app:2", "h.example:5000/app:2")
_BOXES = ("red", "blue", "green", "grey", "black", "white", "brown", "pink", "gold", "lime")
_PORTS = (53, 80, 8080)
_IPS = ("", "", "0.0.0.0", "127.0.0.1", "10.0.0.7")
_VOLUMES = ("data", "logs")
#: With the cluster's words put in for the braces.
_VALUES = (
    "{}", "{}", "{}", "{}*", "*{}", "/{}/", "/^{}$/", "nobody", "nobody*", "/^(nobody|{})/",
    "/(?i){}/",
)  # fmt: skip
_ODD_EXPRESSIONS = (
    "zone", "zone=a", "z==a", "zone==", "zone==~~a", "1zone==a", "zone==a,b", "zone!==a",
    "zo/ne==a", "zone==/", "zone==/(/", "zone!=/(/", "zone==[a", "zone===a", "zone==~",
)  # fmt: skip


def a_case(number: int) -> Case:
    """Return the case of a number."""
    lots = Random(number)
    names = list(_BOXES)
    lots.shuffle(names)
    strategy = lots.choice(("spread", "spread", "binpack", "binpack", "random"))
    filters = list(FILTERS)
    if lots.random() < 0.2:
        lots.shuffle(filters)
        del filters[lots.randint(4, 7) :]
    overcommit = lots.choice((0.05, 0.05, 0.0, 0.25, -0.1))
    count = 0 if lots.random() < 0.01 else lots.randint(1, 5)
    machines = tuple(_machine(lots, name, names, overcommit) for name in lots.sample(_NODES, count))
    return Case(number, machines, _wanted(lots, machines), strategy, tuple(filters))


def _machine(lots: Random, name: str, names: list[str], overcommit: float) -> Machine:
    labels = [("zone", lots.choice(_ZONES))] if lots.random() < 0.8 else []
    if lots.random() < 0.2:
        labels.append(("containerslots", lots.choice(("0", "1", "2", "3", "-1", "many", "+2"))))
    boxes = [_box(lots, names.pop()) for _ in range(lots.choice((0, 0, 1, 1, 2, 3))) if names]
    return Machine(
        name=name,
        labels=tuple(labels),
        cores=lots.choice((2, 4, 20, 40)),
        memory=lots.choice((1000, 2000, 4000)) * MEBI,
        overcommit=overcommit,
        failures=lots.choice((0,) * 7 + (1, 2, 3)),
        boxes=tuple(boxes),
        images=tuple(map(Image, lots.sample(_TAGS, lots.randint(0, 2)))),
        volumes=tuple(each for each in _VOLUMES if lots.random() < 0.2),
    )


def _box(lots: Random, name: str) -> Box:
    if is_pending := lots.random() < 0.2:
        name = f"under-way-{name}"
    has_host_network = lots.random() < 0.1
    return Box(
        name=name,
        labels=() if is_pending or lots.random() < 0.4 else (("tier", lots.choice(_TIERS)),),
        memory=lots.choice((0, 0, 100, 500, 995)) * MEBI,
        cores=lots.choice((0, 0, 1, 2)),
        bindings=() if has_host_network else _bindings(lots, 0.3),
        host_ports=(f"{lots.choice(_PORTS)}/tcp",) if has_host_network else (),
        aliases=(f"other/{name}-alias",) if not is_pending and lots.random() < 0.4 else (),
        is_pending=is_pending,
        is_stopped=not is_pending and lots.random() < 0.3,
    )


def _bindings(lots: Random, chance: float) -> tuple[Binding, ...]:
    if lots.random() >= chance:
        return ()
    chosen = lots.sample(_PORTS, lots.choice((1, 1, 2)))
    return tuple(
        Binding(port, lots.choice(("tcp", "tcp", "udp")), lots.choice(_IPS)) for port in chosen
    )


def _wanted(lots: Random, machines: tuple[Machine, ...]) -> Wanted:
    boxes = [box for machine in machines for box in machine.boxes if not box.is_pending]
    has_host_network = lots.random() < 0.1
    joined = f"container:{_reference(lots, machines, boxes)}"
    return Wanted(
        constraints=_some(lots, 0.4, lambda: _constraint(lots)),
        affinities=_some(lots, 0.4, lambda: _affinity(lots, boxes)),
        whitelists=_some(lots, 0.1, lambda: _whitelist(lots)),
        memory=lots.choice((0, 0, 0, 100, 500, 1000, 1010, 2020)) * MEBI,
        cores=lots.choice((0, 0, 0, 1, 2, 4, 21)),
        bindings=() if has_host_network else _bindings(lots, 0.3),
        host_ports=(f"{lots.choice(_PORTS)}/tcp",) if has_host_network else (),
        volumes_from=_some(lots, 0.04, lambda: _reference(lots, machines, boxes) + ":ro"),
        links=_some(lots, 0.04, lambda: _reference(lots, machines, boxes) + ":alias"),
        network_of=joined if not has_host_network and lots.random() < 0.05 else "",
        ipc_of=joined if lots.random() < 0.05 else "",
        volumes=_some(lots, 0.1, lambda: lots.choice(_VOLUMES)),
    )


def _some(lots, chance, make) -> tuple[str, ...]:
    return tuple(make() for _ in range(lots.choice((1, 2, 3)))) if lots.random() < chance else ()


def _expression(lots: Random, key: str, word: str) -> str:
    value = lots.choice(_VALUES).format(word)
    operator, mark = lots.choice(("==", "==", "!=")), lots.choice(("", "~", "~"))
    return f"{key}{operator}{mark}{value}"


def _constraint(lots: Random) -> str:
    if lots.random() < 0.06:
        return lots.choice(_ODD_EXPRESSIONS)
    key = lots.choice(("node", "zone", "zone", "rack"))
    return _expression(lots, key, lots.choice(_NODES if key == "node" else _ZONES))


def _affinity(lots: Random, boxes: list[Box]) -> str:
    if lots.random() < 0.04:
        return lots.choice(_ODD_EXPRESSIONS)
    match lots.choice(("container", "container", "image", "tier", "size")):
        case "container" if boxes:
            box = lots.choice(boxes)
            words = (box.name, box.id, box.id[:12], box.swarm_id, *box.aliases * 2)
            return _expression(lots, "container", lots.choice(words))
        case "image":
            image = Image(lots.choice(_TAGS))
            repository = image.tag.rpartition(":")[0]
            words = (image.tag, repository, image.id, image.id[7:], image.id[7:19], image.by_digest)
            return _expression(lots, "image", lots.choice(words))
        case key:
            return _expression(lots, key, lots.choice(_TIERS))


def _whitelist(lots: Random) -> str:
    if lots.random() < 0.04:
        return lots.choice(_ODD_EXPRESSIONS)
    names = "|".join(lots.sample(_NODES, lots.randint(1, 4)))
    operator = "!=" if lots.random() < 0.05 else "=="
    return f"node{operator}{lots.choice(('', '', '~'))}{names}"


def _reference(lots: Random, machines: tuple[Machine, ...], boxes: list[Box]) -> str:
    if not boxes or lots.random() < 0.05:
        return "nobody"
    box = lots.choice(boxes)
    home = next(machine for machine in machines if box in machine.boxes)
    words = (
        box.name, f"/{box.name}", box.id, box.id[:12], box.id[:5], box.swarm_id, box.swarm_id[:7],
        f"{home.name}/{box.name}", *box.aliases,
    )  # fmt: skip
    return lots.choice(words)
