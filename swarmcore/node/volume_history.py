"""Which volumes of one engine no container has used since they were made.

An engine does not report what is in a volume, and a used volume may hold things without a size:
directories, empty files, owners.  So its history is followed: a volume that enters the list was
made just now, and the engine sends an event whenever a container mounts a volume.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class VolumeHistory:
    """What was seen of the volumes of one engine since it is followed."""

    _listed: set[str] | None = None
    _made: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)

    def is_unused(self, name: str) -> bool:
        """Whether it was seen to be made, and not seen to be used."""
        return name in self._made and name not in self._used

    def restart(self) -> None:
        """Begin anew: the engine was not followed for a while, so its volumes may be used."""
        self._made.clear()

    def note_list(self, volumes: Iterable[str]) -> None:
        """The engine has these now."""
        names = set(volumes)
        if self._listed is not None:
            self._made |= names - self._listed
        self._made &= names
        self._listed = names

    def note_event(self, verb: str, name: str) -> None:
        """The engine says that something happened to a volume."""
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
        """Learn from what the engine remembers of the time before it was followed.

        Args:
            events: verb, volume and Unix seconds, in order; an engine keeps the last few hundred.
            made_at: volume -> Unix seconds at which its engine says that it was made.  Old engines
                tell of a create also where there was such a volume, and show the time of the last
                change instead; so only an event of that time is believed.
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
    """Verb, volume and Unix seconds of an engine's events on volumes; others are passed over."""
    return [
        (str(each.get("Action")), str(each["Actor"]["ID"]), int(each.get("time") or 0))
        for each in documents
        if each.get("Type") == "volume" and isinstance(each.get("Actor"), Mapping)
    ]


def made_seconds(volume: Mapping[str, Any]) -> int | None:
    """Unix seconds of a volume's ``CreatedAt``; ``None`` where it has none."""
    try:
        return int(datetime.fromisoformat(str(volume.get("CreatedAt"))).timestamp())
    except ValueError:
        return None
