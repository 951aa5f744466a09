"""The filters of container lists and events, as an engine reads them.  Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from swarmcore.errors import NotFound
from swarmcore.http.messages import Query
from swarmcore.list_filters import Filters, parse_filters
from swarmcore.testing.documents.images import with_tag
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.state import EngineState

#: Filters of real engines that have no effect here.
_IGNORED = frozenset({"is-task", "isolation", "health", "publish", "expose"})
_Test = Callable[[ContainerRecord], bool]


def listed_containers(state: EngineState, query: Query) -> list[ContainerRecord]:
    """Return the containers of ``GET /containers/json``, newest first.

    Raises:
        BadRequest: an unknown filter.
        NotFound: ``before`` or ``since`` does not name a container.
    """
    filters = parse_filters(query.get("filters"))
    filters.refuse_unknown(_TESTS.keys() | _OTHER)
    everything = query.flag("all") or "status" in filters or "exited" in filters
    found = [each for each in state.newest_first() if everything or each.alive]
    for key, compiled in _TESTS.items():
        if filters.values(key):
            found = list(filter(compiled(state, filters), found))
    found = _between(state, found, filters)
    limit = int(query.get("limit") or -1)
    return found[:limit] if limit > 0 else found


def _between(
    state: EngineState, found: list[ContainerRecord], filters: Filters
) -> list[ContainerRecord]:
    for text in filters.values("before"):
        edge = _edge(state, text)
        found = [each for each in found if each.created < edge.created]
    for text in filters.values("since"):
        edge = _edge(state, text)
        found = [each for each in found if each.created > edge.created]
    return found


def _edge(state: EngineState, text: str) -> ContainerRecord:
    try:
        return state.find_container(text)
    except NotFound:
        raise NotFound(f"no such container {text}") from None


def _by_name(state: EngineState, filters: Filters) -> _Test:
    found = filters.matching("name")
    return lambda each: found(each.name) or found(f"/{each.name}")


def _by_id(state: EngineState, filters: Filters) -> _Test:
    begins = filters.beginning("id")
    return lambda each: begins(each.id)


def _by_status(state: EngineState, filters: Filters) -> _Test:
    return lambda each: each.state in filters.values("status")


def _by_label(state: EngineState, filters: Filters) -> _Test:
    holds = filters.labelled("label")
    return lambda each: holds(each.config["Labels"])


def _by_exit_code(state: EngineState, filters: Filters) -> _Test:
    return lambda each: bool(each.finished) and str(each.exit_code) in filters.values("exited")


def _by_image(state: EngineState, filters: Filters) -> _Test:
    ids = set()
    for name in filters.values("ancestor"):
        ids |= {each.id for each in state.images if with_tag(name) in each.tags or name in each.id}
    return lambda each: each.image_id in ids


def _by_network(state: EngineState, filters: Filters) -> _Test:
    wanted = filters.values("network")
    return lambda each: any(
        name in wanted or point["NetworkID"].startswith(wanted)
        for name, point in each.networks.items()
    )


def _by_volume(state: EngineState, filters: Filters) -> _Test:
    wanted = filters.values("volume")
    return lambda each: any(
        mount.get("Name") in wanted or mount["Destination"] in wanted for mount in each.mounts
    )


_TESTS: Mapping[str, Callable[[EngineState, Filters], _Test]] = {
    "id": _by_id,
    "name": _by_name,
    "status": _by_status,
    "label": _by_label,
    "exited": _by_exit_code,
    "ancestor": _by_image,
    "network": _by_network,
    "volume": _by_volume,
}
_OTHER = _IGNORED | {"before", "since"}


# ---- events


def event_passes(event: Mapping[str, Any], filters: Filters) -> bool:
    """Return whether an event passes *filters*; one matching value of a filter is enough."""
    actor = event["Actor"]
    attributes, id = actor["Attributes"], actor["ID"]
    for key in filters:
        match key:
            case "type" | "scope":
                passes = filters.equal(key)(event["Type" if key == "type" else "scope"])
            case "event":
                action = filters.equal(key)
                passes = action(event["Action"]) or action(event["Action"].partition(": ")[0])
            case "label":
                passes = filters.labelled(key)(attributes)
            case "container" | "volume" | "network" | "daemon" | "plugin":
                begins = filters.beginning(key)
                passes = begins(id) or begins(attributes.get("name", ""))
            case "image":
                names = {id, attributes.get("image", ""), attributes.get("name", "")}
                names |= {name.partition(":")[0] for name in names}
                passes = any(map(filters.equal(key), names))
            case _:
                passes = True
        if not passes:
            return False
    return True
