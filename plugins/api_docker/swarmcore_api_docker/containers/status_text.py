"""The Status column of ``docker ps``, and the time until which a text is valid.  Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from swarmcore.go_formats import parse_time

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
#: (hours from which the next unit is used, hours in one unit, plural); ages are rounded to hours.
_LONG = ((48, 1, "hours"), (24 * 14, 24, "days"), (24 * 60, 24 * 7, "weeks"))
_MONTH_HOURS = 24 * 30
_TWO_YEARS_HOURS = 24 * 365 * 2


class StatusText(NamedTuple):
    """A text, and the time in Unix seconds from which it must be made again."""

    text: str
    until: float


FOREVER = float("inf")


def format_age(seconds: float) -> str:
    """Format an age as Docker does: ``Less than a second``, ``About an hour``, ``3 weeks``.

    Args:
        seconds: the age; a negative age, from clocks that differ, counts as 0.
    """
    if seconds < 1:
        return "Less than a second"
    if seconds < _MINUTE:
        return f"{int(seconds)} second{'s' if seconds >= 2 else ''}"
    if seconds < 2 * _MINUTE:
        return "About a minute"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} minutes"
    hours = int(seconds / _HOUR + 0.5)
    if hours == 1:
        return "About an hour"
    for end, unit, plural in _LONG:
        if hours < end:
            return f"{hours // unit} {plural}"
    if hours < _TWO_YEARS_HOURS:
        return f"{hours // _MONTH_HOURS} months"
    return f"{int(seconds // _HOUR) // (24 * 365)} years"


def age_changes_at(start: float, now: float) -> float:
    """Return the earliest time, in Unix seconds, when the text of the age since *start* changes."""
    age = max(now - start, 0)
    step = 1 if age < _MINUTE else _MINUTE if age < _HOUR else _HOUR / 2
    return start + (age // step + 1) * step


class Status(NamedTuple):
    """The status of a container that does not change, at any time.

    Attributes:
        template: the text, with ``{}`` for an age.
        start: the beginning of the age in Unix seconds; ``None`` if the text has no age.
    """

    template: str
    start: float | None = None

    def at(self, now: float) -> StatusText:
        """The text at the time *now*, in Unix seconds."""
        if self.start is None:
            return StatusText(self.template, FOREVER)
        text = self.template.format(format_age(now - self.start))
        return StatusText(text, age_changes_at(self.start, now))


def status_of(state: Mapping[str, Any]) -> Status:
    """Return the status of a container.

    Args:
        state: ``State`` of its inspect document.
    """
    if state.get("Running"):
        return _status_of_running(state)
    if state.get("RemovalInProgress"):
        return Status("Removal In Progress")
    if state.get("Dead"):
        return Status("Dead")
    if parse_time(state.get("StartedAt")) is None:
        return Status("Created")
    return _since(f"Exited ({state.get('ExitCode', 0)}) {{}} ago", state.get("FinishedAt"))


def _status_of_running(state: Mapping[str, Any]) -> Status:
    if state.get("Restarting"):
        template = f"Restarting ({state.get('ExitCode', 0)}) {{}} ago"
        return _since(template, state.get("FinishedAt"))
    if state.get("Paused"):
        return _since("Up {} (Paused)", state.get("StartedAt"))
    health = health_of(state)
    if health == "none":
        return _since("Up {}", state.get("StartedAt"))
    shown = "health: starting" if health == "starting" else health
    return _since(f"Up {{}} ({shown})", state.get("StartedAt"))


def health_of(state: Mapping[str, Any]) -> str:
    """Return the health of a container: ``none``, ``starting``, ``healthy`` or ``unhealthy``."""
    return str((state.get("Health") or {}).get("Status") or "none")


def _since(template: str, moment: str | None) -> Status:
    start = parse_time(moment)
    return Status("") if start is None else Status(template, start)
