"""Container names are unique in the cluster: checks who holds a name, and renames containers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlencode

from swarmcore.cluster.placement.placement import Placement
from swarmcore.engine import Engine
from swarmcore.errors import Conflict, EngineError, NotFound
from swarmcore.http.messages import Answer, Request
from swarmcore.model import Container

log = logging.getLogger(__name__)


async def free_stale_name(placement: Placement, name: str) -> None:
    """Read the container that holds *name* again, in case the name has been freed.

    A client that waited for a container's removal may learn of it before the manager has received
    the engine's event.
    """
    holder = placement.index.holder(name) if name else None
    if isinstance(holder, Container):
        try:
            await placement.members.by_node(holder.node_id).refresh_container(holder.id)
        except (EngineError, NotFound) as error:
            log.debug("cannot look at the holder of name %s: %s", name, error)


async def rename(
    placement: Placement, engine: Engine, container: Container, name: str, request: Request
) -> Answer:
    """Rename *container*; the new name is reserved until the engine has answered.

    Raises:
        Conflict: the name is taken.
        EngineUnreachable: the engine did not answer.
    """
    if name == container.name:
        return await _rename_on(engine, container, name, request)  # the engine reports the error
    await free_stale_name(placement, name)
    placement.permit()
    with _as_engines_say_it(), placement.holding_name(name):
        return await _rename_on(engine, container, name, request)


@contextmanager
def _as_engines_say_it() -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        raise Conflict(f"Error when allocating new name: {error}") from error


async def _rename_on(engine: Engine, container: Container, name: str, request: Request) -> Answer:
    path = f"/containers/{container.id}/rename?{urlencode({'name': name})}"
    settle = engine.settling(container.id, "rename")
    answer = await engine.call("POST", path, version=request.version)
    if answer.ok:
        try:
            await settle(answer.status)
        except EngineError as error:
            log.warning("container %s was renamed, reading it failed: %s", name, error)
            engine.acknowledge(renamed_container(container, name))
    return answer


def renamed_container(container: Container, name: str) -> Container:
    """A copy of *container* with the new *name*; the aliases of links do not change."""
    names = (name, *container.names[1:])
    return replace(
        container,
        names=names,
        summary={**container.summary, "Names": [f"/{each}" for each in names]},
        detail={**container.detail, "Name": f"/{name}"},
    )
