"""Where a container goes: rules, then wishes, then weights."""

from swarmcore.scheduler.failures import FailureHistory
from swarmcore.scheduler.room import is_full, why_no_room
from swarmcore.scheduler.scheduler import (
    PlacementFailed,
    Scheduler,
)
from swarmcore.scheduler.step import Step
from swarmcore.scheduler.weighers import make_weighers

__all__ = [
    "FailureHistory",
    "PlacementFailed",
    "Scheduler",
    "Step",
    "is_full",
    "make_weighers",
    "why_no_room",
]
