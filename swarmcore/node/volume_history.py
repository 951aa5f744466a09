"""Which volumes of one engine have not been used since they were created.

An engine does not report the content of a volume, and even a volume of size 0 may have content:
directories, empty files, ownership.  The history is therefore followed: a volume that appears in
the list was created just now, and the engine sends an event whenever a container mounts a volume.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class VolumeHistory:
    """Creation and use of the volumes of one engine, as far as they were observed."""

    _listed: set[str] | None = None
    _made: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)

    def is_unused(self, name: str) -> bool:
        """Whether its creation was observed, and no use since."""
        return name in self._made and name not in self._used

    def restart(self) -> None:
        """Start again: the engine was not followed for a while, so volumes may have been used."""
        self._made.clear()

    def note_list(self, volumes: Iterable[str]) -> None:
        """Record the engine's volume list."""
        names = set(volumes)
        if self._listed is not None:
            self._made |= names - self._listed
        self._made &= names
        self._listed = names

    def note_event(self, verb: str, name: str) -> None:
        """Record an event of the engine about a volume."""
        if verb == "mount":
            self._used.add(name)
        elif verb == "destroy":
            self._used.discard(name)
            self._made.discard(name)
            if self._listed is not None:
                self._listed.discard(name)

    def recall(
        self, events: Iterable[tuple[str, str, int]], made_at: Mapping[str, int | None]
    ) -> None:
        """Learn from past events that the engine still keeps.

        Args:
            events: action, volume name and Unix seconds, in order.  Engines keep the last few
                hundred events.
            made_at: volume name -> Unix seconds of its creation according to the engine.  Old
                engines also send a create event if the volume exists already, and report the time
                of the last change instead; so only an event of that time counts.
        """
        made: set[str] = set()
        used: set[str] = set()
        for verb, name, seconds in events:
            at = made_at.get(name)
            if verb == "mount":
                used.add(name)
            elif verb == "destroy":
                used.discard(name)
                made.discard(name)
            elif verb == "create" and at is not None and abs(seconds - at) <= 1:
                made.add(name)
        self._used |= used & made_at.keys()
        self._made |= (made - used) & made_at.keys()


def read_events(documents: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    """Action, volume name and Unix seconds of volume events; other events are ignored."""
    return [
        (str(each.get("Action")), str(each["Actor"]["ID"]), int(each.get("time") or 0))
        for each in documents
        if each.get("Type") == "volume" and isinstance(each.get("Actor"), Mapping)
    ]


def made_seconds(volume: Mapping[str, Any]) -> int | None:
    """Unix seconds of a volume's ``CreatedAt``; ``None`` if it has none."""
    try:
        return int(datetime.fromisoformat(str(volume.get("CreatedAt"))).timestamp())
    except ValueError:
        return None
