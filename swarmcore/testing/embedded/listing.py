"""Which containers and events a list's filters let through, as the engine reads filters.  Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from swarmcore.errors import BadRequest, NotFound
from swarmcore.messages import Query
from swarmcore.testing.documents.images import with_tag
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.state import EngineState

Filters = Mapping[str, Sequence[str]]

#: Filters that real engines know and that change nothing here.
_IGNORED = frozenset({"is-task", "isolation", "health", "publish", "expose"})


def listed_containers(state: EngineState, query: Query) -> list[ContainerRecord]:
    """What ``GET /containers/json`` lists, newest first.

    Raises:
        BadRequest: a filter that no engine knows.
        NotFound: ``before`` or ``since`` name nothing.
    """
    filters = query.filters()
    unknown = next((key for key in filters if key not in _TESTS and key not in _OTHER), None)
    if unknown is not None:
        raise BadRequest(f"invalid filter '{unknown}'")
    everything = query.flag("all") or "status" in filters or "exited" in filters
    found = [each for each in state.newest_first() if everything or each.alive]
    for key, test in _TESTS.items():
        if wanted := filters.get(key):
            found = [each for each in found if test(state, each, wanted)]
    found = _between(state, found, filters)
    limit = int(query.get("limit") or -1)
    return found[:limit] if limit > 0 else found


def _between(
    state: EngineState, found: list[ContainerRecord], filters: Filters
) -> list[ContainerRecord]:
    for text in filters.get("before", ()):
        edge = _edge(state, text)
        found = [each for each in found if each.created < edge.created]
    for text in filters.get("since", ()):
        edge = _edge(state, text)
        found = [each for each in found if each.created > edge.created]
    return found


def _edge(state: EngineState, text: str) -> ContainerRecord:
    try:
        return state.find_container(text)
    except NotFound:
        raise NotFound(f"no such container {text}") from None


def has_labels(labels: Mapping[str, str], wanted: Sequence[str]) -> bool:
    """Whether all of *wanted*, each ``key`` or ``key=value``, hold."""
    for text in wanted:
        key, equals, value = text.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _matches(pattern: str, *texts: str) -> bool:
    try:
        return any(re.search(pattern, text) for text in texts)
    except re.error as error:
        raise BadRequest(f"invalid filter: {error}") from None


def _named(state: EngineState, record: ContainerRecord, wanted: Sequence[str]) -> bool:
    return any(_matches(pattern, record.name, f"/{record.name}") for pattern in wanted)


def _of_image(state: EngineState, record: ContainerRecord, wanted: Sequence[str]) -> bool:
    ids = set()
    for name in wanted:
        ids |= {each.id for each in state.images if with_tag(name) in each.tags or name in each.id}
    return record.image_id in ids


def _in_network(state: EngineState, record: ContainerRecord, wanted: Sequence[str]) -> bool:
    ids = [endpoint["NetworkID"] for endpoint in record.networks.values()]
    return any(
        text in record.networks or any(id.startswith(text) for id in ids if text and id)
        for text in wanted
    )


def _with_volume(state: EngineState, record: ContainerRecord, wanted: Sequence[str]) -> bool:
    return any(
        mount.get("Name") in wanted or mount["Destination"] in wanted for mount in record.mounts
    )


_TESTS: Mapping[str, Callable[[EngineState, ContainerRecord, Sequence[str]], bool]] = {
    "id": lambda state, each, wanted: any(_matches(f"^{text}", each.id) for text in wanted),
    "name": _named,
    "status": lambda state, each, wanted: each.state in wanted,
    "label": lambda state, each, wanted: has_labels(each.config["Labels"], wanted),
    "exited": lambda state, each, wanted: bool(each.finished) and str(each.exit_code) in wanted,
    "ancestor": _of_image,
    "network": _in_network,
    "volume": _with_volume,
}
_OTHER = _IGNORED | {"before", "since"}


# ---- events


def event_passes(event: Mapping[str, Any], filters: Filters) -> bool:
    """Whether a follower with *filters* gets an event; values of one key are alternatives."""
    actor = event["Actor"]
    attributes, kind, id = actor["Attributes"], event["Type"], actor["ID"]
    for key, wanted in filters.items():
        match key:
            case "type" | "scope":
                passes = event["Type" if key == "type" else "scope"] in wanted
            case "event":
                passes = event["Action"] in wanted or event["Action"].partition(": ")[0] in wanted
            case "label":
                passes = has_labels(attributes, wanted)
            case "container" | "volume" | "network" | "daemon" | "plugin":
                name = attributes.get("name", "")
                passes = kind == key and any(
                    text in (id, name) or id.startswith(text) for text in wanted
                )
            case "image":
                names = {id, attributes.get("image", ""), attributes.get("name", "")}
                names |= {name.partition(":")[0] for name in names}
                passes = bool(names & set(wanted))
            case _:
                passes = True
        if not passes:
            return False
    return True
