"""The type of a workload."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage


class Shape(Enum):
    """The kind of a workload's figures, and so of their display."""

    #: Operations: rate, times of one, CPU of one.
    OPERATIONS = "operations"
    #: Bytes: rate, CPU of a gigabyte.
    STREAM = "stream"
    #: Figures of its own, each with its unit in its name.
    OTHER = "other"


class On(Enum):
    """The servers on which a workload is measured."""

    #: Every manager.
    MANAGERS = "managers"
    #: Every manager; with ``--floor`` also one engine, and HAProxy before it.
    ALL = "all"
    #: A server of ``benchmarks.floor``, with ``--floor`` only.
    FLOOR = "floor"
    #: A part of this clone that needs no cluster.
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload.

    Attributes:
        name: the name on the command line; the part before the last ``-`` names a family.
        about: a description in one line.
        run: measures it on a side; a workload without a cluster gets the first manager.
        shape: the kind of its figures.
        on: the servers on which it is measured.
        unit: the name of the floor whose CPU is its unit.
        needs_start: whether managers must be running.
        of_the_size: whether it depends on the size of the cluster; otherwise it is measured once.
        by_default: whether it is measured without its name or ``--more-clients``.
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
