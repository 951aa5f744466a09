"""The scheduler: hard rules, soft rules, then weights."""

from swarmcore.scheduler.builtin_rules import is_full, why_no_room
from swarmcore.scheduler.outcome import count_refusals
from swarmcore.scheduler.plugin_calls import PlacementFailed
from swarmcore.scheduler.progress import DecisionProgress
from swarmcore.scheduler.ranking import FailureHistory, make_weighers
from swarmcore.scheduler.scheduler import Scheduler

__all__ = [
    "DecisionProgress",
    "FailureHistory",
    "PlacementFailed",
    "Scheduler",
    "count_refusals",
    "is_full",
    "make_weighers",
    "why_no_room",
]
