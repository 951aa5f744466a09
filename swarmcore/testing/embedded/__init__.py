"""A small Docker Engine of our own, for tests, demos and benchmarks: no daemon, no root.

``docs/testing.md`` tells what it can do, and where it differs from a real one.
"""

from swarmcore.testing.embedded.call import Recorded
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.engine import EmbeddedEngine
from swarmcore.testing.embedded.faults import Fault
from swarmcore.testing.embedded.programs import PROGRAMS, Process, Program

__all__ = [
    "PROGRAMS",
    "ContainerRecord",
    "EmbeddedEngine",
    "Fault",
    "Process",
    "Program",
    "Recorded",
]
