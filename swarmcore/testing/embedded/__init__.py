"""A small Docker Engine in this process, for tests, demos and benchmarks, without daemon or root.

``docs/testing.md`` lists what it can do, and how it differs from a real engine.
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
