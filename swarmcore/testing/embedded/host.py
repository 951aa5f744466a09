"""The parts of an engine that its routes use, and the type of a route."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.runtime import Runtime
from swarmcore.testing.embedded.state import EngineState
from swarmcore.versions import ApiVersion


class Host(Protocol):
    """An embedded engine, as its routes see it."""

    name: str
    cpus: int
    memory: int
    labels: dict[str, str]
    version: str
    min_api_version: ApiVersion
    api_version: ApiVersion
    state: EngineState

    @property
    def runtime(self) -> Runtime:
        """The runtime of its containers."""
        ...


Handler = Callable[[Host, Call], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EngineRoute:
    """One path of an embedded engine.

    Attributes:
        method: the method in upper case.
        template: the path without version prefix.
        handler: answers the request.
    """

    method: str
    template: str
    handler: Handler


def routes(handlers: Mapping[str, Handler]) -> list[EngineRoute]:
    """Return routes from a table of ``GET /path`` -> handler."""
    made = []
    for text, handler in handlers.items():
        method, _, template = text.partition(" ")
        made.append(EngineRoute(method, template, handler))
    return made
