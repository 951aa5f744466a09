"""What a workload is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage


class Shape(Enum):
    """What a workload's figures are, and so how they are shown."""

    #: Operations: rate, times of one, CPU of one.
    OPERATIONS = "operations"
    #: Bytes: rate, CPU of a gigabyte.
    STREAM = "stream"
    #: Figures of its own, each with its unit in its name.
    OTHER = "other"


class On(Enum):
    """What a workload is measured on."""

    #: Every manager.
    MANAGERS = "managers"
    #: Every manager; with ``--floor`` also one engine, and HAProxy before it.
    ALL = "all"
    #: A server of ``benchmarks.floor``, with ``--floor`` only.
    FLOOR = "floor"
    #: Something of this clone that needs no cluster.
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing that is measured.

    Attributes:
        name: what it is called on the command line; the part before the last ``-`` names a family.
        about: one line.
        run: measures it on a side; of a workload that is alone the side is the first manager.
        shape: of its figures.
        on: what it is measured on.
        unit: the floor whose CPU is the unit of its own: a workload's name.
        needs_start: whether managers must be up already.
        of_the_size: whether it depends on the size of the cluster; else one size has its figures.
        by_default: whether it is measured without being named, or without ``--more-clients``.
    """

    name: str
    about: str
    run: Callable[[Stage, Side], Figures]
    shape: Shape = Shape.OPERATIONS
    on: On = On.MANAGERS
    unit: str = "floor-exchange"
    needs_start: bool = True
    of_the_size: bool = True
    by_default: bool = True
