"""Where a container goes: rules, then wishes, then weights."""

from swarmcore.scheduler.scheduler import (
    PlacementFailed,
    Scheduler,
)

__all__ = [
    "PlacementFailed",
    "Scheduler",
]
