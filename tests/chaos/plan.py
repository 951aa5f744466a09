"""The plan of a run: timed faults that are drawn from a seed.  Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

ENGINES = ("e1", "e2", "e3")
MANAGERS = ("m1", "m2")
STORE = "etcd"
#: The engine whose disk is small enough to be filled.
SMALL = "e3"

#: Shortest and longest duration in seconds.  An engine is flagged as unhealthy after about 12
#: seconds, and its containers are moved a few seconds later: half of the outages are long enough.
_SHORT, _LONG, _BRIEF = (2.0, 9.0), (20.0, 28.0), (1.0, 8.0)
#: Seconds between the end of a fault and the beginning of the next one.
_PAUSE = (2.0, 6.0)
#: How often a second fault begins during another one.
_SECOND = 0.25


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: what happens, in words.
        targets: the parts, or pairs of parts, of which one is chosen.
        weight: how often it is drawn, compared with others.
        seconds: ranges of durations, of which one is chosen.
    """

    name: str
    targets: Sequence[tuple[str, ...]]
    weight: int
    seconds: Sequence[tuple[float, float]]


def _each(parts: Sequence[str]) -> list[tuple[str, ...]]:
    return [(part,) for part in parts]


_LINKS = [(manager, engine) for manager in MANAGERS for engine in ENGINES]
_TO_STORE = [(manager, STORE) for manager in MANAGERS]

KINDS = (
    Kind("kill engine", _each(ENGINES), 3, [_SHORT, _LONG]),
    Kind("hang engine", _each(ENGINES), 3, [_SHORT, _LONG]),
    Kind("cut engine", _each(ENGINES), 3, [_SHORT, _LONG]),
    Kind("fill disk", [(SMALL,)], 2, [_SHORT]),
    Kind("block", _LINKS, 3, [_SHORT, _LONG]),
    Kind("kill manager", _each(MANAGERS), 4, [_BRIEF]),
    Kind("hang manager", _each(MANAGERS), 4, [_SHORT]),
    Kind("cut manager", _each(MANAGERS), 3, [_SHORT]),
    Kind("block", [MANAGERS], 2, [_SHORT]),
    Kind("block", _TO_STORE, 3, [_SHORT]),
    Kind("kill store", _each([STORE]), 2, [_BRIEF]),
    Kind("hang store", _each([STORE]), 2, [_BRIEF]),
    Kind("cut store", _each([STORE]), 2, [_BRIEF]),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a plan.

    Attributes:
        at: when it begins, in seconds after the start of the run.
        seconds: how long it lasts.
        kind: the name of its kind.
        target: the part, or the two parts between which packets are dropped.
    """

    at: float
    seconds: float
    kind: str
    target: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {'-'.join(self.target)} for {self.seconds:.1f} s"

    @property
    def ends(self) -> float:
        """When it ends, in seconds after the start of the run."""
        return self.at + self.seconds


def draw(seed: int, seconds: float) -> list[Fault]:
    """Draw the faults of a run; every fault ends within *seconds*.

    Two faults never concern the same part at the same time, so that each can be undone alone.
    """
    random, found = Random(f"plan {seed}"), list[Fault]()
    now = random.uniform(*_PAUSE)
    while now < seconds - _BRIEF[0]:
        first = _one(random, now, seconds)
        found.append(first)
        if random.random() < _SECOND:
            begins = now + random.uniform(0.0, first.seconds)
            second = _one(random, begins, seconds)
            if second.seconds > 0 and not set(second.target) & set(first.target):
                found.append(second)
        now = max(fault.ends for fault in found) + random.uniform(*_PAUSE)
    return sorted(found, key=lambda fault: fault.at)


def _one(random: Random, now: float, limit: float) -> Fault:
    kind = random.choices(KINDS, [each.weight for each in KINDS])[0]
    target = tuple(random.choice(kind.targets))
    lasts = random.uniform(*random.choice(kind.seconds))
    return Fault(round(now, 1), round(min(lasts, max(limit - now, 0.0)), 1), kind.name, target)


def show(plan: Sequence[Fault]) -> Iterator[str]:
    """The plan as lines of text."""
    return (f"{fault.at:7.1f} s  {fault}" for fault in plan)
