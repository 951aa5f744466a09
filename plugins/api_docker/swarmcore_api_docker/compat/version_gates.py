"""Refuse parameters that an older engine would ignore, if that would change the result.  Pure.

Engines ignore unknown parameters: one that does not know ``platforms`` deletes every platform.
"""

from collections.abc import Iterable, Sequence

from swarmcore.container_config import Need
from swarmcore.errors import BadRequest
from swarmcore.http.messages import Query
from swarmcore.protocols import Engine
from swarmcore.versions import ApiVersion

#: Work on images -> the parameter that changes its meaning, and the first API version with it.
_GATES = {
    "push": ("platform", ApiVersion(1, 46)),
    "history": ("platform", ApiVersion(1, 48)),
    "save": ("platform", ApiVersion(1, 48)),
    "load": ("platform", ApiVersion(1, 48)),
    "delete": ("platforms", ApiVersion(1, 50)),
}
#: The same for verbs of containers.  Engines ignore the parameter on paths of older versions.
_OF_VERBS = {
    "stop": Need("signal", ApiVersion(1, 42)),
    "restart": Need("signal", ApiVersion(1, 42)),
}


def able_engines(engines: Sequence[Engine], work: str, query: Query) -> list[Engine]:
    """Return the engines of *engines* that know the parameters of the request.

    Args:
        engines: engines that could do the work.
        work: ``push``, ``history``, ``save``, ``load`` or ``delete``.
        query: the query of the request.

    Raises:
        BadRequest: none of the engines knows them.
    """
    parameter, since = _GATES[work]
    if not query.get(parameter):
        return list(engines)
    able = [engine for engine in engines if engine.node.api_version >= since]
    if engines and not able:
        raise _too_old(engines, work)
    return able


def require_able(engines: Sequence[Engine], work: str, query: Query) -> None:
    """Refuse work for several engines if one of them does not know its parameters.

    Args:
        engines: the engines that are to do the work.
        work: as for ``able_engines``.
        query: the query of the request.

    Raises:
        BadRequest: some engines are too old; the text names them.
    """
    able = able_engines(engines, work, query)
    if older := [engine for engine in engines if engine not in able]:
        raise _too_old(older, work)


def needs_of_verb(verb: str, query: Query, version: ApiVersion) -> list[Need]:
    """Return the parameters that an engine must know to do *verb* to a container.

    Args:
        verb: the last segment of the path: ``stop``.
        query: the query of the request.
        version: the client's API version.
    """
    need = _OF_VERBS.get(verb)
    return [need] if need and version >= need.since and query.get(need.field) else []


def require_heeded(engine: Engine, needs: Iterable[Need]) -> None:
    """Refuse fields that *engine* would ignore.

    Raises:
        BadRequest: names the field, its API version and the node.
    """
    for need in needs:
        if engine.node.api_version < need.since:
            raise BadRequest(
                f'"{need.field}" requires API version {need.since}, which {engine.node.name} lacks'
            )


def _too_old(engines: Sequence[Engine], work: str) -> BadRequest:
    parameter, since = _GATES[work]
    names = ", ".join(engine.node.name for engine in engines)
    return BadRequest(f'{work}: "{parameter}" requires API version {since}, which {names} lacks')
