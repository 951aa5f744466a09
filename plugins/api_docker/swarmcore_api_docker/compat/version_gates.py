"""Refuse parameters that an older engine would ignore, and then do something else.  Pure.

Go ignores unknown parameters: an engine that does not know ``platforms`` deletes every platform.
"""

from collections.abc import Iterable, Sequence

from swarmcore.container_config import Need
from swarmcore.errors import BadRequest
from swarmcore.http.messages import Query
from swarmcore.protocols import Engine
from swarmcore.versions import ApiVersion

#: Work on images -> the parameter that changes its meaning, and the first version that knows it.
_GATES = {
    "push": ("platform", ApiVersion(1, 46)),
    "history": ("platform", ApiVersion(1, 48)),
    "save": ("platform", ApiVersion(1, 48)),
    "load": ("platform", ApiVersion(1, 48)),
    "delete": ("platforms", ApiVersion(1, 50)),
}
#: The same for verbs of containers; on older paths, engines ignore the parameter.
_OF_VERBS = {
    "stop": Need("signal", ApiVersion(1, 42)),
    "restart": Need("signal", ApiVersion(1, 42)),
}


def able_engines(engines: Sequence[Engine], work: str, query: Query) -> list[Engine]:
    """Those of *engines* that know the parameters of the request.

    Args:
        engines: engines that could do the work.
        work: ``push``, ``history``, ``save``, ``load`` or ``delete``.
        query: the query of the request.

    Raises:
        BadRequest: none of them does.
    """
    parameter, since = _GATES[work]
    if not query.get(parameter):
        return list(engines)
    able = [engine for engine in engines if engine.node.api_version >= since]
    if engines and not able:
        raise _too_old(engines, work)
    return able


def require_able(engines: Sequence[Engine], work: str, query: Query) -> None:
    """Refuse work for several engines when one of them does not know its parameters.

    Raises:
        BadRequest: names the engines that are too old.
    """
    able = able_engines(engines, work, query)
    if older := [engine for engine in engines if engine not in able]:
        raise _too_old(older, work)


def needs_of_verb(verb: str, query: Query, version: ApiVersion) -> list[Need]:
    """The parameters that an engine must know to do *verb* to a container.

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
        BadRequest: names the field, its version and the node.
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
