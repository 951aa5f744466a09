"""What routes may ask of the engine that they belong to, and the shape of a route."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.runtime import Runtime
from swarmcore.testing.embedded.state import EngineState
from swarmcore.versions import ApiVersion


class Host(Protocol):
    """An embedded engine, from inside."""

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
        """What runs its containers."""
        ...


Handler = Callable[[Host, Call], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EngineRoute:
    """One path that embedded engines answer.

    Attributes:
        method: upper case.
        template: without version prefix.
        handler: answers.
    """

    method: str
    template: str
    handler: Handler


def routes(handlers: Mapping[str, Handler]) -> list[EngineRoute]:
    """A table of ``GET /path`` -> handler, as routes."""
    made = []
    for text, handler in handlers.items():
        method, _, template = text.partition(" ")
        made.append(EngineRoute(method, template, handler))
    return made
