"""What a container's documents tell beyond the fields of ``Container``: read once, then kept.

Decisions and filters of lists use these facts, so that they need not decode documents.  Containers
of one kind have equal facts, which they share.  Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from swarmcore.go_formats import parse_time
from swarmcore.json_values import as_object, as_objects, as_text, as_texts

#: A network or a volume of one node by name; a network also by id.
Thing = tuple[Literal["network", "volume"], str]
_Document = Mapping[str, Any]


class ContainerFacts(NamedTuple):
    """Facts from the documents of one container.

    Attributes:
        things: the networks and volumes that it refers to, whatever its state.
        links: pairs of a linked container's name and its alias: ``("db", "web/data")``.
        start_failed: whether its last start failed.
        was_started: whether it was ever started.
        exit_code: of its last run; ``None`` if its engine reports none.
        health: ``none``, ``starting``, ``healthy`` or ``unhealthy``.
        networks: name and id of each network that it is connected to.
        mounts: for each mount, its volume's name or its source, and its destination.
    """

    things: frozenset[Thing]
    links: frozenset[tuple[str, str]]
    start_failed: bool
    was_started: bool
    exit_code: int | None
    health: str
    networks: tuple[tuple[str, str], ...]
    mounts: frozenset[str]


def read_facts(summary: _Document, detail: _Document) -> ContainerFacts:
    """Read the facts.

    Args:
        summary: its object in ``GET /containers/json``.
        detail: its ``GET /containers/{id}/json``.
    """
    state = as_object(detail.get("State"))
    code = state.get("ExitCode")
    networks = _connected(detail)
    mounts = as_objects(detail.get("Mounts"))
    things = [*_volumes(mounts), *_networks(detail, networks)]
    things += _volumes(as_objects(summary.get("Mounts")))
    things += _networks(summary, _connected(summary))
    return ContainerFacts(
        things=frozenset(things),
        links=frozenset(_links(detail)),
        start_failed=bool(state.get("Error")),
        was_started=parse_time(as_text(state.get("StartedAt"))) is not None,
        exit_code=code if type(code) is int else None,
        health=as_text(as_object(state.get("Health")).get("Status")) or "none",
        networks=tuple(networks),
        mounts=frozenset(_mounted(mounts)),
    )


def _volumes(mounts: Iterable[_Document]) -> list[Thing]:
    return [("volume", str(mount["Name"])) for mount in mounts if mount.get("Name")]


def _networks(document: _Document, connected: Iterable[tuple[str, str]]) -> list[Thing]:
    found: list[Thing] = [("network", word) for pair in connected for word in pair if word]
    mode = as_object(document.get("HostConfig")).get("NetworkMode")
    if isinstance(mode, str) and not mode.startswith("container:"):
        found.append(("network", mode))
    return found


def _connected(document: _Document) -> list[tuple[str, str]]:
    settings = as_object(document.get("NetworkSettings"))
    return [
        (str(name), str(as_object(endpoint).get("NetworkID") or ""))
        for name, endpoint in as_object(settings.get("Networks")).items()
    ]


def _mounted(mounts: Iterable[_Document]) -> Iterator[str]:
    for mount in mounts:
        yield from as_texts([mount.get("Name") or mount.get("Source"), mount.get("Destination")])


def _links(detail: _Document) -> Iterable[tuple[str, str]]:
    """``/db:/web/data`` as ``("db", "web/data")``."""
    links = as_texts(as_object(detail.get("HostConfig")).get("Links"))
    for name, colon, alias in (each.partition(":") for each in links):
        if colon:
            yield name.removeprefix("/"), alias.removeprefix("/")
