"""Interprets engine documents: which cached state an event makes stale, and what containers are.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from swarmcore.container_config.resources import claim_of
from swarmcore.container_facts import read_facts
from swarmcore.json_values import as_objects, as_text, as_texts
from swarmcore.model import Container, Event
from swarmcore.node import is_spanning

#: Container actions that change nothing in the cache: Swarm classic's list and newer actions.  A
#: signal (``kill``) changes nothing itself; its consequences cause other events.
_QUIET = frozenset(
    {"archive-path", "attach", "checkpoint", "copy", "detach", "exec_create", "exec_detach"}
    | {"exec_die", "exec_start", "export", "extract-to-dir", "kill", "resize", "top"}
)
#: Image actions that only read.  ``push`` is not among them: it adds a registry digest.
_QUIET_IMAGES = frozenset({"save", "attestation"})
#: Volume actions that do not change volumes.
_QUIET_VOLUMES = frozenset({"mount", "unmount"})
#: Drivers whose networks exist on one engine only.
_LOCAL_DRIVERS = frozenset({"bridge", "host", "null"})
#: The network that exists on every engine of a swarm.
_OF_SWARMS = "ingress"
#: How many different values containers may have in common.
_SHARED = 4096

Document = Mapping[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Stale:
    """The parts of an engine's cache that must be read again.

    Attributes:
        containers: ids.
        created: ids of new containers; read only if the cache does not have them yet.
        gone: ids of removed containers, which are dropped without asking the engine.
        images, networks, volumes: whether the list must be read.
        networks_made: ids of new networks; the list is read if it lacks one.
        networks_gone: ids of removed networks, which are dropped without asking the engine.
        volumes_made, volumes_gone: names; the list is read if it lacks one of the first or has one
            of the second (a later volume may have the same name).
        specs: whether the engine's info must be read: its configuration was reloaded.
    """

    containers: frozenset[str] = frozenset()
    created: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    images: bool = False
    networks: bool = False
    networks_made: frozenset[str] = frozenset()
    networks_gone: frozenset[str] = frozenset()
    volumes: bool = False
    volumes_made: frozenset[str] = frozenset()
    volumes_gone: frozenset[str] = frozenset()
    specs: bool = False

    def __or__(self, other: "Stale") -> "Stale":
        gone = self.gone | other.gone
        networks_gone = self.networks_gone | other.networks_gone
        return Stale(
            containers=(self.containers | other.containers) - gone,
            created=(self.created | other.created) - gone,
            gone=gone,
            images=self.images or other.images,
            networks=self.networks or other.networks,
            networks_made=(self.networks_made | other.networks_made) - networks_gone,
            networks_gone=networks_gone,
            volumes=self.volumes or other.volumes,
            volumes_made=self.volumes_made | other.volumes_made,
            volumes_gone=self.volumes_gone | other.volumes_gone,
            specs=self.specs or other.specs,
        )


def what_is_stale(event: Event) -> Stale:
    """The parts of the cache that *event* makes stale."""
    verb = event.verb
    match event.type:
        case "container":
            return _stale_by_container(verb, event.actor_id)
        case "image":
            return Stale(images=verb not in _QUIET_IMAGES)
        case "network":
            return _stale_by_network(event)
        case "volume":
            return _stale_by_volume(verb, event.actor_id)
        case "daemon":
            return Stale(specs=verb == "reload")
        case "builder":
            return Stale(images=verb == "prune")
    return Stale()


def _stale_by_container(verb: str, id: str) -> Stale:
    if verb in _QUIET or not id:
        return Stale()
    if verb == "create":
        return Stale(created=frozenset([id]))
    if verb == "destroy":
        return Stale(gone=frozenset([id]))
    if verb == "commit":  # creates an image; not every engine also sends an image event
        return Stale(images=True)
    return Stale(containers=frozenset([id]))


def _stale_by_network(event: Event) -> Stale:
    """Local networks are listed without containers; other networks span several engines."""
    id, is_local = event.actor_id, event.attributes.get("type") in _LOCAL_DRIVERS
    match event.verb:
        case "connect" | "disconnect":
            member = event.attributes.get("container")
            return Stale(containers=frozenset([member] if member else []), networks=not is_local)
        case "create" if id and is_local:
            return Stale(networks_made=frozenset([id]))
        case "destroy" if id and is_local:
            return Stale(networks_gone=frozenset([id]))
    # This network's event is the only one that an engine sends when it joins a swarm.
    return Stale(networks=True, specs=event.attributes.get("name") == _OF_SWARMS)


def _stale_by_volume(verb: str, name: str) -> Stale:
    match verb:
        case "create" if name:
            return Stale(volumes_made=frozenset([name]))
        case "destroy" if name:
            return Stale(volumes_gone=frozenset([name]))
    return Stale(volumes=verb not in _QUIET_VOLUMES)


def given_name(event: Event) -> tuple[str, str] | None:
    """The image name that was given according to *event*, and the id of the image.

    Returns:
        ``None`` if the event gives no name.  The image id is empty if the event has none.
    """
    if event.type != "image":
        return None
    match event.verb:
        case "tag":
            name, image = event.attributes.get("name", ""), event.actor_id
        case "pull":
            name, image = event.actor_id, ""
        case _:
            return None
    return (name, image) if name else None


def read_container(
    summary: Mapping[str, Any],
    detail: Mapping[str, Any],
    node_id: str,
    cpus: int,
    *,
    cpu_shares_are_cpus: bool = False,
    kept: tuple[Document, Document] | None = None,
) -> Container:
    """Build a ``Container`` from its two documents.

    Args:
        summary: its object in ``GET /containers/json``.
        detail: the answer of ``GET /containers/{id}/json``; preferred where both have a value.
        node_id: the node of the engine.
        cpus: number of CPUs of the node.
        cpu_shares_are_cpus: whether CPU shares count as CPUs, as in Swarm classic.
        kept: *summary* and *detail* in the form in which the container is to keep them.
    """
    config = detail.get("Config") or {}
    state = detail.get("State") or {}
    return Container(
        id=str(detail["Id"]),
        node_id=node_id,
        names=_names(detail.get("Name"), summary.get("Names")),
        image=_shared(str(config.get("Image") or summary.get("Image") or "")),
        image_id=_shared(str(detail.get("Image") or summary.get("ImageID") or "")),
        created=_created(detail, summary),
        state=_shared(str(state.get("Status") or summary.get("State") or "")),
        labels=_labels(tuple((config.get("Labels") or {}).items())),
        claim=claim_of(detail, cpus, cpu_shares_are_cpus=cpu_shares_are_cpus),
        summary=kept[0] if kept else summary,
        detail=kept[1] if kept else detail,
        read=_shared(read_facts(summary, detail)),
    )


def with_summary(container: Container, summary: Document, kept: Document) -> Container:
    """*container* after its object in the list has changed.

    Args:
        container: the container.
        summary: the new object.
        kept: *summary* in the form in which the container is to keep it.
    """
    facts = _shared(read_facts(summary, container.detail))
    return replace(container, summary=kept, read=facts)


@lru_cache(maxsize=_SHARED)
def _shared(value: _T) -> _T:
    """An equal value that was seen before, so that containers have it in common; or *value*."""
    return value


@lru_cache(maxsize=_SHARED // 4)
def _labels(pairs: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return {_shared(key): _shared(value) for key, value in pairs}


def _names(own: Any, listed: Any) -> tuple[str, ...]:
    """A container's own name, and the aliases that it has by links (``/web/db``).

    Engines of release 26 send the event of a rename before they give up the old name, and still
    list it for a moment.  So a listed name without a second slash counts only if no own one is
    known.
    """
    names = [str(name).removeprefix("/") for name in (own, *(listed or ())) if name]
    return tuple(dict.fromkeys(name for name in names if "/" in name or name == names[0]))


def _created(detail: Mapping[str, Any], summary: Mapping[str, Any]) -> float:
    """Unix seconds.  Inspect has a finer resolution than the list, which keeps the order."""
    try:
        moment = datetime.fromisoformat(detail.get("Created") or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError):
        return float(summary.get("Created") or 0)


def needs_inspection(known: Container | None, summary: Mapping[str, Any]) -> bool:
    """Whether a listed *summary* indicates a change that only an inspection shows in full."""
    return (
        known is None
        or not agrees(known, summary)
        or known.summary.get("NetworkSettings") != summary.get("NetworkSettings")
    )


def agrees(known: Container, summary: Mapping[str, Any]) -> bool:
    """Whether *summary* has the state and the names of *known*, which need not be decoded."""
    names = {name.removeprefix("/") for name in as_texts(summary.get("Names"))}
    return known.state == summary.get("State") and set(known.names) == names


def differs(known: Container, summary: Mapping[str, Any]) -> bool:
    """Whether *summary* differs from the known one; ``Status`` is ignored, as it has the age."""
    return (
        any(value != known.summary.get(key) for key, value in summary.items() if key != "Status")
        or not known.summary.keys() <= summary.keys()
    )


def by_key(objects: Any, key: str) -> dict[str, Mapping[str, Any]]:
    """Index a list of objects by *key*; objects without it are left out.

    Args:
        objects: the engine's answer; ``null`` is an empty list.
        key: ``Id`` or ``Name``.
    """
    return {item[key]: item for item in as_objects(objects) if as_text(item.get(key))}


def shared_changes(before: Mapping[str, Document], now: Mapping[str, Document]) -> list[str]:
    """The keys of the objects that only one of two lists has, if engines share these objects."""
    changed = before.keys() ^ now.keys()
    return [key for key in changed if _is_shared(now.get(key) or before[key])]


def _is_shared(document: Document) -> bool:
    return is_spanning(document) and document["Scope"] != "swarm"
