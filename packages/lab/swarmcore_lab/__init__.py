"""Real Docker Engines of several releases, side by side on one machine, for tests and demos.

    with Lab() as lab:
        old, new = lab.start_engines([EngineSpec("old", "20.10"), EngineSpec("new", "28.5")])
        lab.image()
        lab.cli("28").run(old.address, "run", "busybox", "echo", "hello")

All functions are synchronous.  ``docs/lab.md`` explains how the lab works.
"""

from swarmcore_lab.cli import Cli
from swarmcore_lab.cluster_store import LabClusterStore
from swarmcore_lab.engine import EngineSpec, EngineTls, LabEngine
from swarmcore_lab.errors import LabError
from swarmcore_lab.host import LabHost
from swarmcore_lab.lab import Lab, available, sweep
from swarmcore_lab.registry import LabRegistry
from swarmcore_lab.releases import releases
from swarmcore_lab.swarm import form_swarm

__all__ = [
    "Cli",
    "EngineSpec",
    "EngineTls",
    "Lab",
    "LabClusterStore",
    "LabEngine",
    "LabError",
    "LabHost",
    "LabRegistry",
    "available",
    "form_swarm",
    "releases",
    "sweep",
]
