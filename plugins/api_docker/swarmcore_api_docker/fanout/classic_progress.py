"""Progress as Swarm classic sent it, for ``swarm.compat=classic``.

The ``id`` of every line is the node's name, and its ``status`` begins with a description of the
work: ``Pulling busybox:latest... : Downloading``.
"""

from dataclasses import dataclass
from typing import Any

from swarmcore.errors import EngineError
from swarmcore.image_supply.progress import Report
from swarmcore.protocols import Engine
from swarmcore_api_docker.fanout.progress import Perform


@dataclass(frozen=True, slots=True)
class ClassicProgress:
    """How classic reported one kind of work.

    Attributes:
        title: the description of the work: ``Loading Image...``.
        framed: whether a line with only the title is sent when an engine begins, and when it
            succeeds.
    """

    title: str
    framed: bool = False

    def wrap(self, perform: Perform) -> Perform:
        """Return *perform* with progress lines like classic's; a failure is sent as one, too."""

        async def perform_as_classic(engine: Engine, report: Report) -> None:
            def line(status: str, message: dict[str, Any]) -> dict[str, Any]:
                text = f"{self.title} : {status}" if status else self.title
                return {**message, "id": engine.node.name, "status": text}

            async def report_as_classic(message: dict[str, Any]) -> None:
                await report(line(str(message.get("status") or ""), message))

            if self.framed:
                await report(line("", {}))
            try:
                await perform(engine, report_as_classic)
            except EngineError as error:
                await report(line(str(error), {}))
                raise
            if self.framed:
                await report(line("", {}))

        return perform_as_classic
