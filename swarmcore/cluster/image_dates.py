"""What an image's inspection tells of its age and its content.  Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from swarmcore.json_values import as_object

#: What an image makes of a container; releases differ in what else an inspection tells.
_CONTENT = (
    "ArgsEscaped", "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild",
    "Shell", "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip


def date_of(inspection: Mapping[str, Any]) -> float:
    """When an image was last tagged on its engine, or made, whichever is later; Unix seconds.

    Engines tell no time of tagging of an image that was pulled or loaded.
    """
    tagged = _part(inspection, "Metadata").get("LastTagTime")
    return max(
        _seconds(tagged),
        _seconds(as_object(inspection).get("Created")),
    )


def content_of(inspection: Mapping[str, Any]) -> str:
    """A digest of what an image holds and does, its times left out; empty where it is not told.

    An import gives every engine an image of its own, which differ in the time alone.
    """
    layers = _part(inspection, "RootFS").get("Layers")
    if layers is None:
        return ""
    config = _part(inspection, "Config")
    told = {key: config[key] for key in _CONTENT if config.get(key)}
    platform = [inspection.get(key) or "" for key in ("Os", "Architecture", "Variant")]
    text = json.dumps([layers, told, platform], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_date(seconds: float) -> str:
    """A date for the log."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return "no date"


def _part(inspection: Any, key: str) -> Mapping[str, Any]:
    """An object in an inspection; an empty one where an engine tells something else."""
    return as_object(as_object(inspection).get(key))


def _seconds(text: Any) -> float:
    try:
        moment = datetime.fromisoformat(text or "")
        return max(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
