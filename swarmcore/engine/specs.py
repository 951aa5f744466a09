"""Reads ``GET /version`` and ``GET /info`` of an engine into the fields of a node.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from swarmcore.errors import EngineError
from swarmcore.node import OVERCOMMIT_LABEL, Node, read_overcommit
from swarmcore.versions import CEILING, FLOOR, ApiVersion, parse_version

#: Labels that every node has, and the key of ``info`` with the value; Swarm classic's list.
_BUILT_IN = {
    "storagedriver": "Driver",
    "kernelversion": "KernelVersion",
    "operatingsystem": "OperatingSystem",
    "ostype": "OSType",
}
#: Smaller clock differences are ignored, as the answer itself takes time.
_TOLERATED_SKEW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Specs:
    """An engine's identity and resources.

    Attributes:
        engine_id: the engine's own id.
        name: host name.
        cpus: number of CPUs.
        memory: bytes.
        labels: built-in labels, the engine's own, and discovery's; the first takes precedence.
        version: Docker release.
        api_version, min_api_version: the newest and the oldest API version it supports.
        info: ``GET /info``, unchanged.
        skew_seconds: our clock minus the engine's; 0 if they agree or the engine gives no time.
        notes: unusual findings for the log.
    """

    engine_id: str
    name: str
    cpus: int
    memory: int
    labels: Mapping[str, str]
    version: str
    api_version: ApiVersion
    min_api_version: ApiVersion
    info: Mapping[str, Any]
    skew_seconds: float
    notes: tuple[str, ...]

    def describe(self, node: Node) -> None:
        """Copy everything to *node* except its id, which is set on admission."""
        node.name = self.name
        node.cpus = self.cpus
        node.memory = self.memory
        node.labels = self.labels
        node.version = self.version
        node.skew_seconds = self.skew_seconds
        node.api_version = self.api_version
        node.min_api_version = self.min_api_version
        node.info = self.info


def read_api_range(version: Any, address: str) -> tuple[ApiVersion, ApiVersion]:
    """The newest and the oldest API version that an engine supports.

    Args:
        version: parsed ``GET /version``.
        address: the engine's address, for errors.

    Raises:
        EngineError: not a version document, or all its versions are too new or too old for us.
    """
    if not isinstance(version, Mapping):
        raise EngineError(address, f"{address} does not answer like a Docker Engine: no version")
    newest = parse_version(str(version.get("ApiVersion"))) or FLOOR
    oldest = parse_version(str(version.get("MinAPIVersion"))) or min(FLOOR, newest)
    if oldest > CEILING or newest < FLOOR:
        raise EngineError(
            address,
            f"engine {address} supports Docker API {oldest} to {newest}, this manager {FLOOR} to"
            f" {CEILING}: install releases with a common version",
        )
    return newest, oldest


def read_specs(
    version: Any, info: Any, address: str, now: float, labels: Mapping[str, str] | None = None
) -> Specs:
    """Read both documents.

    Args:
        version: parsed ``GET /version``.
        info: parsed ``GET /info``.
        address: the engine's address, for errors.
        now: Unix seconds at which the answer of ``/info`` arrived.
        labels: discovery's labels.

    Raises:
        EngineError: not an engine, no resources, or no API version in common.
    """
    newest, oldest = read_api_range(version, address)
    if not (isinstance(info, Mapping) and info.get("NCPU") and info.get("MemTotal")):
        raise EngineError(
            address,
            f"cannot get resources for this engine, make sure {address} is a Docker Engine,"
            " not a Swarm manager",
        )
    if not info.get("ID"):
        raise EngineError(address, f"engine {address} has no ID: look at its log")
    notes: list[str] = []
    skew = _read_skew(info.get("SystemTime"), now)
    if skew:
        notes.append(f"its clock differs from the manager's by {skew:+.1f} seconds")
    return Specs(
        engine_id=str(info["ID"]),
        name=str(info.get("Name") or ""),
        cpus=int(info["NCPU"]),
        memory=int(info["MemTotal"]),
        labels=_read_labels(info, labels or {}, notes),
        version=str(version.get("Version") or ""),
        api_version=newest,
        min_api_version=oldest,
        info=info,
        skew_seconds=skew,
        notes=tuple(notes),
    )


def _read_labels(
    info: Mapping[str, Any], discovered: Mapping[str, str], notes: list[str]
) -> dict[str, str]:
    labels = {name: str(info[key]) for name, key in _BUILT_IN.items() if info.get(key)}
    for key, value in _engine_labels(info.get("Labels"), notes):
        if key == "node":
            notes.append("its label 'node' is ignored: that word means the node's name")
        elif key in labels:
            notes.append(f"its label {key}={value} is ignored: {key} is {labels[key]} already")
        else:
            labels[key] = value
    merged = {**discovered, **labels}
    overcommit = merged.get(OVERCOMMIT_LABEL)
    if overcommit is not None and read_overcommit(overcommit) is None:
        notes.append(
            f"its label {OVERCOMMIT_LABEL}={overcommit} is ignored: it should be a number above"
            " -1, such as 0.05"
        )
    return merged


def _engine_labels(texts: Any, notes: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts or ():
        key, equals, value = str(text).partition("=")
        if equals:
            yield key, value
        else:
            notes.append(f"its label {text!r} is ignored: not of the form key=value")


def _read_skew(text: Any, now: float) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return 0.0
    skew = now - moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return 0.0 if abs(skew) < _TOLERATED_SKEW_SECONDS else skew
