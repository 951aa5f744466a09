"""What happens in one simulation: drawn from a seed, before anything runs.

A plan is a list of steps, so that a failing one can be shortened by leaving steps out.  Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

#: Seconds in which clients ask and faults begin.
_ACTIVE_SECONDS = 60.0
_NAMES = 6

#: Kinds of faults, with how often each is drawn, and the longest time that it lasts.
_FAULTS = {
    "crash": (3, 45.0),
    "hang": (3, 30.0),
    "cut": (4, 60.0),
    "slow": (3, 30.0),
    "lose": (4, 20.0),
    "drop": (2, 20.0),
    "repeat": (3, 30.0),
    "reorder": (2, 30.0),
    "late": (2, 30.0),
    "close": (2, 1.0),
    "clock": (2, 30.0),
    "kill": (2, 20.0),
}
#: Faults that need a second manager, and with it a store.
_STORE_FAULTS = {"partition": (4, 25.0), "store": (2, 20.0), "forget": (1, 20.0)}
#: What clients ask, with how often.
_REQUESTS = {"create": 8, "remove": 5, "list": 3, "inspect": 2, "start": 3, "stop": 2, "rename": 1}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a client asks, or a fault.

    Attributes:
        at: when it begins, in seconds from the start.
        who: the client, or the host that the fault concerns.
        what: the kind of request or fault.
        name: the container; for a fault, the second host or a kind of request.
        seconds: how long a fault lasts; after which time a client leaves.
        number: a size: of memory in MiB, of a delay, of a step of a clock.
        manager: which manager a client asks.
        options: further words about a create.
    """

    at: float
    who: str
    what: str
    name: str = ""
    seconds: float = 0.0
    number: float = 0.0
    manager: str = ""
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The step in words, for a history."""
        parts = [self.what, self.name, *self.options]
        if self.number:
            parts.append(f"{self.number:g}")
        if self.seconds:
            parts.append(f"for {self.seconds:.2f} s")
        if self.manager:
            parts.append(f"at {self.manager}")
        return f"{self.who}: {' '.join(part for part in parts if part)}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation.

    Attributes:
        seed: of the scheduler, of delays and of the product's random choices.
        managers, engines, clients: their names.
        is_fenced: whether lost engines are switched off before their containers are copied.
        steps: in order of time.
    """

    seed: int
    managers: tuple[str, ...]
    engines: tuple[str, ...]
    clients: tuple[str, ...]
    is_fenced: bool
    steps: tuple[Step, ...]

    @property
    def faults(self) -> Sequence[Step]:
        """The steps that are faults."""
        return [step for step in self.steps if step.who not in self.clients]

    def only(self, steps: Sequence[Step]) -> "Plan":
        """The plan with some of its steps."""
        return replace(self, steps=tuple(steps))


def draw_plan(seed: int) -> Plan:
    """Draw everything that happens from *seed*."""
    random = Random(seed)
    managers = tuple(f"m{n}" for n in range(1, 2 + (random.random() < 0.4)))
    count = 50 if random.random() < 0.02 else random.randint(2, 6)
    engines = tuple(f"n{n}" for n in range(1, count + 1))
    clients = tuple(f"c{n}" for n in range(1, random.randint(2, 4)))
    steps = [step for client in clients for step in _requests(random, client, managers)]
    creates = [step for step in steps if step.what == "create"]
    steps += _faults(random, managers, engines)
    if is_fenced := random.random() < 0.3:
        steps.append(_long_cut(random, engines))
    if len(managers) > 1 and creates:
        steps += _stop(random, random.choice(creates), engines)
    ordered = tuple(sorted(steps, key=lambda step: step.at))
    return Plan(seed, managers, engines, clients, is_fenced, ordered)


def _requests(random: Random, client: str, managers: Sequence[str]) -> list[Step]:
    steps, at = [], 0.0
    while (at := at + random.expovariate(1 / 1.5)) < _ACTIVE_SECONDS:
        what = _draw(random, _REQUESTS)
        step = Step(
            at,
            client,
            what,
            name=f"{client}-{random.randrange(_NAMES)}",
            seconds=random.uniform(0.001, 0.5) if random.random() < 0.05 else 0.0,
            manager=random.choice(managers),
        )
        steps.append(_with_options(random, step, client))
    return steps


def _with_options(random: Random, step: Step, client: str) -> Step:
    if step.what == "rename":
        return replace(step, options=(f"{client}-{random.randrange(_NAMES)}",))
    if step.what != "create":
        return step
    likely = {"run": 0.8, "move": 0.6, "restart": 0.3, "port": 0.2}
    chosen = [word for word, chance in likely.items() if random.random() < chance]
    return replace(step, number=random.choice((0, 64, 512, 1024)), options=tuple(chosen))


def _faults(random: Random, managers: Sequence[str], engines: Sequence[str]) -> list[Step]:
    kinds = _FAULTS | (_STORE_FAULTS if len(managers) > 1 else {})
    weights = {kind: weight for kind, (weight, _) in kinds.items()}
    steps = []
    for _ in range(random.randint(0, 16)):
        what = _draw(random, weights)
        at, seconds = random.uniform(1.0, _ACTIVE_SECONDS), random.uniform(0.2, kinds[what][1])
        steps.append(_fault(random, Step(at, "", what, seconds=seconds), managers, engines))
    return steps


def _long_cut(random: Random, engines: Sequence[str]) -> Step:
    """A cut that lasts until the containers of an engine are moved."""
    at, seconds = random.uniform(15.0, 40.0), random.uniform(35.0, 60.0)
    return Step(at, random.choice(engines), "cut", seconds=seconds)


def _stop(random: Random, create: Step, engines: Sequence[str]) -> list[Step]:
    """All machines stop for a while, when a create may just be connecting to its engine."""
    closed = [Step(max(0.0, create.at - 0.01), engine, "close") for engine in engines]
    at, seconds = create.at + random.uniform(0.0, 0.03), random.choice((4.9, 4.9, 30.0))
    return [*closed, Step(at, "machines", "stop", seconds=seconds)]


def _fault(random: Random, step: Step, managers: Sequence[str], engines: Sequence[str]) -> Step:
    match step.what:
        case "kill" | "partition":
            return replace(step, who=random.choice(managers))
        case "store" | "forget":
            return replace(step, who="store")
        case "cut":
            # One manager loses the engine, or all of them do.
            way = random.choice((*managers, "")) if len(managers) > 1 else ""
            return replace(step, who=random.choice(engines), name=way)
        case "slow":
            longest = random.choice((0.05, 0.3, 1.0, 3.0))
            return replace(step, who=random.choice(engines), number=longest)
        case "late":
            return replace(step, who=random.choice(engines), number=random.uniform(0.02, 1.0))
        case "lose" | "drop":
            kind = random.choice(("create", "remove", "start", "list", "any"))
            return replace(step, who=random.choice(engines), name=kind)
        case "clock":
            hosts = (*managers, *engines)
            return replace(step, who=random.choice(hosts), number=random.uniform(-9000, 9000))
    return replace(step, who=random.choice(engines))


def _draw(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]
