"""A deterministic simulation of whole managers before embedded engines, with faults.

Everything runs in one process on a simulated clock and network; ``python -m
swarmcore.testing.simulation --seeds 0-49`` runs it.  ``docs/testing.md`` has more.
"""

from swarmcore.testing.simulation.plan import Plan, Step, draw_plan
from swarmcore.testing.simulation.run import Result, run_plan

__all__ = ["Plan", "Result", "Step", "draw_plan", "run_plan"]
